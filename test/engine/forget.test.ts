import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { crossEntropy } from '../../engine/losses/index.ts';
import { activationsOf } from '../../engine/memory/need.ts';
import { buildStep, type TrainingStep } from '../../engine/step.ts';
import { train } from '../../engine/train.ts';
import { readGraph } from '../../graph/codec/index.ts';
import { indexOf, readsOf } from '../../graph/graph.ts';
import { float32Of } from '../../graph/tensor.ts';
import { layerSpansOf } from '../../models/anatomy/layers.ts';
import type { EncoderOptions } from '../../models/encoder.ts';
import type { Model } from '../../models/model.ts';
import { foreseeTraining } from '../../stages/train/foresee.ts';
import { everyTraining } from '../../stages/train/options.ts';
import { keyed, training } from '../stages/keyed.ts';
import { hiddenStates, layerPairs } from './imitating.ts';
import { labelsAlone, tinyModel, tinyOptions, tinyRequest, tinySettings } from './rig.ts';

const stepOf = (model: Model, recompute: boolean): TrainingStep =>
  buildStep(model, { losses: [crossEntropy(tinySettings)], dropout: 0.1, recompute });

/** Of usual proportions, so that what layers hold outweighs what stands between them. */
const encoder: Partial<EncoderOptions> = { hidden: 48, heads: 4, ffn: 192, maxLength: 48, layers: 6 };

/** Kernels compute the same; what the runtime fuses around a copy may round otherwise. */
const ROUNDING = 1e-6;

const largestGap = (a: Model, b: Model): number => {
  let gap = 0;
  for (const [name, tensor] of a.graph.weights) {
    const other = b.graph.weights.get(name);
    if (tensor.dtype !== 'float32' || other === undefined) continue;
    const theirs = float32Of(other);
    float32Of(tensor).forEach((x, i) => {
      gap = Math.max(gap, Math.abs(x - (theirs[i] ?? Number.NaN)));
    });
  }
  return gap;
};

/** Nodes of what a program of the step really runs. */
const nodesRun = async ({ graph }: TrainingStep, repeats: boolean): Promise<number> => {
  const folder = await mkdtemp(join(tmpdir(), 'decant-forget-'));
  try {
    const optimizedFile = join(folder, 'run.onnx');
    const program = await cpuEngine.compile(graph, { threads: 1, memory: 'pooled', repeats, optimizedFile });
    await program.release();
    const { nodes } = await readGraph(optimizedFile);
    return nodes.filter(({ op }) => /MatMul|Gemm/.test(op)).length;
  } finally {
    await rm(folder, { recursive: true });
  }
};

describe('layers that are computed once more', () => {
  it.each([
    ['post-norm', { norm: 'post' }],
    ['pre-norm', { norm: 'pre' }],
  ] as const)('train the same: %s', async (_, shape) => {
    const options = { ...tinyOptions, epochs: 1 };
    const request = { model: tinyModel(shape), options };
    const kept = await train(tinyRequest(request));
    const again = await train(tinyRequest({ ...request, options: { ...options, recompute: true } }));
    expect(largestGap(kept.model, request.model)).toBeGreaterThan(1e-3);
    expect(largestGap(kept.model, again.model)).toBeLessThan(ROUNDING);
  });

  it('teach the same where hidden states of a teacher are imitated', async () => {
    const [student, teacher] = [tinyModel(), tinyModel({}, 2)];
    const hidden = hiddenStates(student, { model: teacher }, { pairs: layerPairs(2, 2, 'uniform'), weight: 1 });
    const request = {
      ...{ model: student, options: { ...tinyOptions, epochs: 1 } },
      phases: [{ losses: [labelsAlone, hidden], until: 1 }],
    };
    const kept = await train(tinyRequest(request));
    const options = { ...request.options, recompute: true };
    expect(largestGap(kept.model, (await train(tinyRequest({ ...request, options }))).model)).toBeLessThan(ROUNDING);
  });

  it('hold less than two fifths of the activations', () => {
    const model = tinyModel(encoder);
    const pass = { texts: 64, length: 48, answers: 64 };
    const [kept, again] = [false, true].map((recompute) => activationsOf(stepOf(model, recompute), model)(pass));
    expect((again ?? 0) / (kept ?? 1)).toBeLessThan(0.4);
  });

  it('are read by the backward pass at their borders alone', () => {
    const model = tinyModel(encoder);
    const spans = layerSpansOf(model.graph);
    const inside = new Set(
      spans.flatMap(({ blocks }) => blocks.flatMap(({ nodes }) => [...nodes].map(({ name }) => name))),
    );
    const sums = new Set<string>(spans.flatMap(({ blocks }) => blocks.map(({ output }) => output)));
    const { graph } = stepOf(model, true);
    const { producer } = indexOf(graph);
    const later = graph.nodes.filter(({ name }) => name.startsWith('backward/'));
    const read = new Set(later.flatMap((node) => readsOf(node)));
    const held = [...read].filter((name) => inside.has(producer.get(name)?.name ?? '') && !sums.has(name));
    expect(inside.size).toBeGreaterThan(60);
    expect(held).toEqual([]);
  });

  it('stay apart in the runtime, which merges equal nodes where nobody says so', async () => {
    const [kept, again] = [stepOf(tinyModel(), false), stepOf(tinyModel(), true)];
    const plain = await nodesRun(kept, false);
    const copied = (await nodesRun(again, true)) - plain;
    // Some that the order alone keeps apart stay.
    expect((await nodesRun(again, false)) - plain).toBeLessThan(copied / 3);
  });

  it('are refused where there are none', () => {
    const model = tinyModel({ layers: 0 });
    expect(() => stepOf(model, true)).toThrow(
      'recompute forgets layers and computes them once more, and the model shows none: leave recompute out',
    );
    expect(stepOf(model, false).parameters.length).toBeGreaterThan(0);
  });
});

describe('the option to compute layers once more', () => {
  it.each(training)('belongs to the key of %s where it is set', (_, stage, of) => {
    const usual = keyed(stage, of({}));
    expect(keyed(stage, of({ recompute: false }))).toEqual(usual);
    expect(JSON.stringify(usual)).not.toContain('recompute');
    expect(JSON.stringify(keyed(stage, of({ recompute: true })))).toContain('"recompute":true');
  });

  it('is refused on engines whose memory it does not spare', () => {
    const problemsOn = (name: string, recompute: boolean) =>
      foreseeTraining(everyTraining.parse({ recompute }), 'train', {
        ...{ models: {}, data: undefined, engine: { name, device: { name: 'A' } } },
      }).problems;
    expect(problemsOn('cpu', true)).toEqual([]);
    expect(problemsOn('webgpu', false)).toEqual([]);
    expect(problemsOn('webgpu', true)).toEqual([
      {
        path: ['recompute'],
        message:
          'recompute spares memory of the CPU, and the engine is "webgpu"; leave recompute out, or write engine: cpu',
      },
    ]);
  });
});
