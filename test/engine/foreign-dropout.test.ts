import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { BatchFeeder } from '../../engine/batch-feeder.ts';
import type { HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GradientRunner } from '../../engine/gradients.ts';
import { hostTensorOf } from '../../engine/host.ts';
import { MaskBuffers } from '../../engine/masks.ts';
import { buildStep } from '../../engine/step.ts';
import { train } from '../../engine/train.ts';
import { trainingMemory } from '../../engine/training-state.ts';
import { writeGraph } from '../../graph/codec/index.ts';
import { value } from '../../graph/graph.ts';
import { withClassificationHead } from '../../models/head.ts';
import { importModel } from '../../models/importers/index.ts';
import type { Model } from '../../models/model.ts';
import { families, goldenFolder } from '../models/golden-checkpoints.ts';
import { tokenizerOfWords } from '../models/support.ts';
import { renamed } from '../rig/renamed.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';
import { labelsAlone, tinyExamples, tinyOptions, tinyRequest } from './rig.ts';

/** Float32 sums in another order, over four updates. */
const REORDERED = 1e-5;
/** Of central differences in float32: rounding of 1e-7 / DISTANCE against the curvature. */
const DISTANCE = 1e-2;
const DIFFERENCES = 2e-3;

const CLASSES = ['a', 'b', 'c'];

let space: Workspace;
beforeAll(() => {
  space = workspace();
});
afterAll(() => space[Symbol.dispose]());

/** The loss of the first updates with a seed. */
const lossOf = async (model: Model, dropout: number): Promise<number> => {
  const { summary } = await train(
    tinyRequest({
      model: withClassificationHead(model, CLASSES),
      validation: tinyExamples(6, 'validation'),
      options: { ...tinyOptions, tokenDropout: 0, steps: 4, batch: 8, accumulate: 2, dropout },
    }),
  );
  return summary.curve.reduce((sum, { loss }) => sum + loss, 0);
};

/** The graph of a golden checkpoint as another maker may have written it, with the rest of the folder beside. */
const foreignOf = async (name: string, { graph }: Model): Promise<Model> => {
  const folder = space.path(name);
  cpSync(goldenFolder(name), folder, { recursive: true, filter: (path) => !path.endsWith('.safetensors') });
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  await writeGraph(join(folder, 'onnx', 'model.onnx'), renamed(graph));
  return importModel(join(folder, 'onnx', 'model.onnx'), '/', { head: 'new' });
};

describe.each(families)('%s as a graph of another maker', (name) => {
  it('trains with dropout as its checkpoint does: the same masks fall on the same values', async () => {
    const checkpoint = await importModel(goldenFolder(name), '/', { head: 'new' });
    const foreign = await foreignOf(name, checkpoint);
    const [mine, theirs, without] = [
      await lossOf(foreign, 0.3),
      await lossOf(checkpoint, 0.3),
      await lossOf(foreign, 0),
    ];
    expect(Math.abs(mine - theirs)).toBeLessThan(REORDERED);
    expect(Math.abs(mine - without)).toBeGreaterThan(10 * REORDERED);
  });
});

/** An export of PyTorch, with a tokenizer of as many words as it has rows. */
const exported = async (name: string): Promise<Model> => {
  const words = ['[UNK]', '[PAD]', ...Array.from({ length: 38 }, (_, i) => `w${i}`)];
  space.write(`${name}/tokenizer.json`, JSON.stringify(tokenizerOfWords(words)));
  cpSync(join(import.meta.dirname, `../golden/exports/${name}.onnx`), space.path(`${name}/model.onnx`));
  return importModel(space.path(`${name}/model.onnx`), '/', { head: 'new' });
};

/** The model's weights, and a head of random ones: it starts at zero, which would hide every gradient behind it. */
const weightsOf = (model: Model, names: readonly string[]): Readonly<Record<string, HostTensor>> => {
  const random = stream(3, 'head');
  return Object.fromEntries(
    names.map((name) => {
      const tensor = model.graph.weights.get(value(name));
      if (tensor === undefined) throw new Error(`${name} is no weight`);
      const given = hostTensorOf(tensor);
      if (!name.startsWith('classifier.')) return [name, given];
      return [name, { ...given, data: Float32Array.from({ length: given.data.length }, () => random.normal()) }];
    }),
  );
};

describe.each(['bert-ts', 'gpt2-dy', 'modernbert-dy', 'deberta-ts', 'known/bert-torch21fused'])(
  'the step of %s',
  (name) => {
    it('has the gradients that its masks say, as central differences confirm', async () => {
      const model = withClassificationHead(await exported(name), CLASSES);
      const examples = tinyExamples(6, 'few');
      const step = buildStep(model, { losses: [labelsAlone], dropout: 0.3 });
      const names = step.parameters.map((parameter) => parameter.name);
      const weights = weightsOf(model, names);
      const program = await cpuEngine.compile(step.graph, { threads: 1, optimization: 'all', training: true });
      const runner = new GradientRunner(step, program, trainingMemory(step.parameters));
      const rows = Int32Array.from(examples.encoded, (_, i) => i);
      const batch = { rows, length: Math.max(...examples.encoded.map(({ length }) => length)) };
      const feeder = new BatchFeeder(model.info, { seed: 1, options: { tokenDropout: 0 }, examples });
      const masks = new MaskBuffers().draw(step.masks, { batch: 6, sequence: batch.length }, stream(1, 'dropout'));
      const lossAt = async (moved: Readonly<Record<string, HostTensor>> = {}): Promise<number> => {
        runner.reset();
        const feeds = feeder.feeds(step.inputs, { batch, size: { answers: 6, tokens: 1 }, step: 0 });
        return (await runner.run({ ...weights, ...masks, ...feeds, ...moved })).loss;
      };
      await lossAt();
      const gradients = new Map(names.map((one, i) => [one, Float32Array.from(runner.gradients[i] ?? [])]));
      expect(step.masks.length).toBeGreaterThan(6);
      expect(Math.max(...[...gradients.values()].flatMap((one) => [...one]))).toBeGreaterThan(10 * DIFFERENCES);
      const random = stream(3, 'directions');
      for (const [parameter, gradient] of gradients) {
        const direction = Float32Array.from(gradient, () => random.normal() / Math.sqrt(gradient.length));
        const measured = await slopeAlong(weights, parameter, direction, lossAt);
        const predicted = gradient.reduce((sum, g, i) => sum + g * (direction[i] ?? 0), 0);
        const close = Math.abs(measured - predicted) < DIFFERENCES;
        expect({ parameter, measured, predicted, close }).toMatchObject({ parameter, close: true });
      }
      await program.release();
    });
  },
);

/** How the loss changes along a direction of one parameter. */
const slopeAlong = async (
  weights: Readonly<Record<string, HostTensor>>,
  parameter: string,
  direction: Float32Array,
  lossAt: (moved: Readonly<Record<string, HostTensor>>) => Promise<number>,
): Promise<number> => {
  const tensor = weights[parameter];
  if (tensor === undefined) throw new Error(`${parameter} is no weight`);
  const moved = (distance: number): Promise<number> => {
    const data = Float32Array.from(direction, (d, i) => Number(tensor.data[i]) + distance * d);
    return lossAt({ [parameter]: { ...tensor, data } });
  };
  return ((await moved(DISTANCE)) - (await moved(-DISTANCE))) / (2 * DISTANCE);
};
