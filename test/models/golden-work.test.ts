import { beforeAll, describe, expect, test } from 'vitest';
import { idTargets } from '../../data/answer-targets.ts';
import { stream } from '../../data/random.ts';
import { answersAbout } from '../../engine/answers.ts';
import { encodedText } from '../../engine/encoded.ts';
import type { Feeds, HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GradientRunner } from '../../engine/gradients.ts';
import { hostTensorOf } from '../../engine/host.ts';
import { MaskBuffers } from '../../engine/masks.ts';
import { buildStep, type TrainingStep } from '../../engine/step.ts';
import { stepBatch } from '../../engine/step-batch.ts';
import { trainingMemory } from '../../engine/training-state.ts';
import { applyCuts } from '../../graph/cut/index.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { hiddenStatesOf } from '../../models/anatomy/hidden-states.ts';
import { anatomyOf, bypassLayer, type Part, partsOf } from '../../models/anatomy.ts';
import type { Model } from '../../models/model.ts';
import { reinitialize } from '../../models/reinitialize.ts';
import { gatesOf } from '../../stages/prune/gates.ts';
import { labelsAlone } from '../engine/rig.ts';
import { maskWeights } from '../graph/cut-rig.ts';
import {
  aloneOf,
  cosine,
  type Expected,
  expectedOf,
  feedsOf,
  goldenNames,
  importGolden,
  modelTypeOf,
  runGolden,
} from './golden-checkpoints.ts';
import { largestDifference } from './support.ts';

/** Float32 sums in another order, over logits of up to 3. */
const ROUNDING = 2e-5;
/** INT8 of matrices of 32 rows with random weights. */
const INT8_COSINE = 0.95;
/** What a step along the gradient should change the loss by: far above rounding, small enough for a straight line. */
const CHANGE = 5e-3;
const CHANGE_ERROR = 0.03;

/** Heads and neurons of every part, and layers: what the anatomy finds without knowing any architecture. */
const anatomies: Readonly<Record<string, { readonly layers: number; readonly parts: readonly string[] }>> = {
  bert: { layers: 2, parts: ['layer 0 heads 4', 'layer 0 ffn 48', 'layer 1 heads 4', 'layer 1 ffn 48'] },
  distilbert: { layers: 2, parts: ['layer 0 heads 4', 'layer 0 ffn 48', 'layer 1 heads 4', 'layer 1 ffn 48'] },
  roberta: { layers: 2, parts: ['layer 0 heads 4', 'layer 0 ffn 48', 'layer 1 heads 4', 'layer 1 ffn 48'] },
  'xlm-roberta': { layers: 2, parts: ['layer 0 heads 4', 'layer 0 ffn 48', 'layer 1 heads 4', 'layer 1 ffn 48'] },
  camembert: { layers: 2, parts: ['layer 0 heads 2', 'layer 0 ffn 24', 'layer 1 heads 2', 'layer 1 ffn 24'] },
  electra: { layers: 2, parts: ['layer 0 heads 4', 'layer 0 ffn 48', 'layer 1 heads 4', 'layer 1 ffn 48'] },
  mpnet: { layers: 2, parts: ['layer 0 heads 4', 'layer 0 ffn 48', 'layer 1 heads 4', 'layer 1 ffn 48'] },
  // Three layers, one set of weights: what is cut from one is cut from all.
  albert: { layers: 3, parts: ['layers 0-2 heads 4', 'layers 0-2 ffn 48'] },
  // Each layer stands around three feed-forward networks.
  mobilebert: {
    layers: 2,
    parts: [0, 1].flatMap((i) => [
      `layer ${i} heads 3`,
      ...['ffn', 'ffn (2)', 'ffn (3)'].map((name) => `layer ${i} ${name} 48`),
    ]),
  },
  'deberta-v2': { layers: 2, parts: ['layer 0 heads 4', 'layer 0 ffn 48', 'layer 1 heads 4', 'layer 1 ffn 48'] },
  modernbert: {
    layers: 3,
    parts: [0, 1, 2].flatMap((i) => [`layer ${i} heads 4`, `layer ${i} ffn 48`]),
  },
};

const classifiers = goldenNames.filter((name) => name === modelTypeOf(name) && anatomies[name] !== undefined);

/** One label a text, as a mean over the batch. */
const targetsFor = ({ inputs }: TrainingStep, { ids }: Expected, { info }: Model): Feeds => {
  const encoded = ids.map((row) => encodedText({ ids: Int32Array.from(row) }));
  const targets = idTargets(ids.map((_, row) => row % info.labels.length));
  const rows = Int32Array.from(ids.keys());
  const source = { model: info, answers: answersAbout(encoded), targets };
  const batch = stepBatch(source, { rows, length: ids[0]?.length ?? 0 }, { answers: ids.length, tokens: 1 });
  return Object.fromEntries(inputs.map(({ name, feed }) => [name, feed(batch)]));
};

type Weights = Record<string, HostTensor & { readonly data: Float32Array }>;

const weightsOf = ({ graph }: Model, step: TrainingStep): Weights =>
  Object.fromEntries(
    step.parameters.flatMap(({ name }) => {
      const tensor = graph.weights.get(name);
      const host = tensor === undefined ? undefined : hostTensorOf(tensor);
      return host?.data instanceof Float32Array ? [[name, { ...host, data: host.data }]] : [];
    }),
  );

/** Every weight moved along its gradient, all together by `length`. */
const moved = (weights: Weights, step: TrainingStep, gradients: readonly Float32Array[], length: number): Weights =>
  Object.fromEntries(
    step.parameters.flatMap(({ name }, i) => {
      const old = weights[name];
      return old === undefined
        ? []
        : [[name, { ...old, data: old.data.map((w, j) => w + length * (gradients[i]?.[j] ?? 0)) }]];
    }),
  );

const isUnit = ({ kind, group }: Part): boolean => (kind === 'heads' || kind === 'ffn') && group !== undefined;

describe.each(classifiers)('a classifier of %s', (name) => {
  const expected = expectedOf(name);
  let model: Model;
  beforeAll(async () => {
    model = await importGolden(name);
  });

  test('is found to have its layers, heads and neurons', () => {
    const anatomy = anatomyOf(model.graph);
    const parts = partsOf(anatomy).filter(({ kind }) => kind === 'heads' || kind === 'ffn');
    expect({
      layers: anatomy.layers.length,
      parts: parts.map((part) => `${part.name} ${part.count}`),
      refused: partsOf(anatomy).filter(({ refused }) => refused !== undefined),
    }).toEqual({ ...anatomies[name], refused: [] });
    expect(anatomy.layers.map(({ output }) => output)).toEqual(hiddenStatesOf(model));
  });

  test('shrinks by half its heads and neurons to what it is with them silenced', async () => {
    const parts = partsOf(anatomyOf(model.graph)).filter(isUnit);
    const groups = parts.flatMap(({ group }) => group ?? []);
    const kept = parts.map(({ count }) =>
      Array.from({ length: count }, (_, unit) => unit).filter((unit) => unit % 2 === 1),
    );
    const cut = applyCuts(model.graph, groups, kept);
    const sizes = partsOf(anatomyOf(cut)).filter(({ kind }) => kind === 'heads' || kind === 'ffn');
    expect(sizes.map(({ count }) => count)).toEqual(kept.map(({ length }) => length));
    const [small = []] = await runGolden({ ...model, graph: cut }, [expected]);
    const [silenced = []] = await runGolden({ ...model, graph: maskWeights(model.graph, groups, kept) }, [expected]);
    expect(largestDifference(small, silenced)).toBeLessThan(ROUNDING);
    const [fused = []] = await runGolden({ ...model, graph: fuseForInference(cut) }, [expected]);
    expect(largestDifference(small, fused)).toBeLessThan(ROUNDING);
  });

  test('has a gate in front of what reads each head and neuron, where importance is measured', () => {
    const gates = partsOf(anatomyOf(model.graph)).map(({ group }) => (group ? gatesOf(model.graph, group) : []));
    expect(gates.filter((own) => own.length === 0)).toEqual([]);
  });

  test('shrinks by half its widths', async () => {
    const parts = partsOf(anatomyOf(model.graph)).filter(({ kind }) => kind === 'hidden' || kind === 'embedding');
    const kept = parts.map(({ count }) => Array.from({ length: count / 2 }, (_, unit) => 2 * unit));
    const groups = parts.flatMap(({ group }) => group ?? []);
    const cut = applyCuts(model.graph, groups, kept);
    const [logits = []] = await runGolden({ ...model, graph: cut }, [expected]);
    expect(logits).toHaveLength(expected.values.length);
    expect(logits.every(Number.isFinite)).toBe(true);
  });

  test('is fused to one attention a layer', async () => {
    const graph = fuseForInference(model.graph);
    const attentions = graph.nodes.filter(({ op }) => op === 'Attention' || op === 'MultiHeadAttention');
    expect(attentions).toHaveLength(anatomies[name]?.layers ?? 0);
    const [plain = []] = await runGolden(model, [expected]);
    const [fused = []] = await runGolden({ ...model, graph }, [expected]);
    expect(largestDifference(plain, fused)).toBeLessThan(ROUNDING);
  });

  test('learns: the loss falls down its gradient as the gradient says', async () => {
    const step = buildStep(model, { losses: [labelsAlone], dropout: 0 });
    expect(step.masks).toEqual([]);
    const program = await cpuEngine.compile(step.graph, { threads: 1 });
    const runner = new GradientRunner(step, program, trainingMemory(step.parameters));
    const targets = targetsFor(step, expected, model);
    const lossAt = async (weights: Weights): Promise<number> => {
      runner.reset();
      const feeds = { ...weights, ...feedsOf(model.info, expected), ...targets };
      return (await runner.run(feeds)).loss;
    };
    const weights = weightsOf(model, step);
    await lossAt(weights);
    const gradients = runner.gradients.map((gradient) => gradient.slice());
    const slope = gradients.reduce((sum, g) => sum + g.reduce((own, x) => own + x * x, 0), 0);
    const up = await lossAt(moved(weights, step, gradients, CHANGE / slope));
    const down = await lossAt(moved(weights, step, gradients, -CHANGE / slope));
    await program.release();
    expect(Math.abs((up - down) / (2 * CHANGE) - 1)).toBeLessThan(CHANGE_ERROR);
  });

  test('draws dropout masks for every batch and length', async () => {
    const step = buildStep(model, { losses: [labelsAlone], dropout: 0.5 });
    expect(step.masks.length).toBeGreaterThan(2);
    const program = await cpuEngine.compile(step.graph, { threads: 1 });
    const runner = new GradientRunner(step, program, trainingMemory(step.parameters));
    const symbols = { batch: expected.ids.length, sequence: expected.ids[0]?.length ?? 0 };
    const masks = new MaskBuffers().draw(step.masks, symbols, stream(1, 'masks'));
    const targets = targetsFor(step, expected, model);
    const feeds = { ...weightsOf(model, step), ...feedsOf(model.info, expected), ...targets, ...masks };
    expect((await runner.run(feeds)).loss).toBeGreaterThan(0);
    await program.release();
  });

  test('in 8 bits points the same way', async () => {
    const { graph, quantized } = (() => {
      const result = quantizeWeights(fuseForInference(model.graph), { minimumElements: 1, minimumTable: 1 });
      return { graph: result.graph, quantized: result.report.quantized };
    })();
    expect(quantized).toBeGreaterThan(6);
    // One text at a time: activations are scaled over the whole batch.
    const texts = expected.ids.map((_, row) => aloneOf(expected, row));
    const plain = (await runGolden(model, texts)).flat();
    const rounded = (await runGolden({ ...model, graph }, texts)).flat();
    expect(cosine(plain, rounded)).toBeGreaterThan(INT8_COSINE);
  });

  test('can do without its last layer', async () => {
    const { layers } = anatomyOf(model.graph);
    const last = layers.at(-1);
    if (last === undefined) throw new Error('no layers');
    const graph = bypassLayer(model.graph, last);
    expect(anatomyOf(graph).layers).toHaveLength(layers.length - 1);
    const [logits = []] = await runGolden({ ...model, graph }, [expected]);
    expect(logits.every(Number.isFinite)).toBe(true);
  });

  test('can start from random weights', async () => {
    const [logits = []] = await runGolden(reinitialize(model, 3), [expected]);
    expect(logits).toHaveLength(expected.values.length);
    expect(logits.every(Number.isFinite)).toBe(true);
  });
});
