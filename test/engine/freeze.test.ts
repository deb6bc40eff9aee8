import { describe, expect, it } from 'vitest';
import { buildStep } from '../../engine/step.ts';
import { train } from '../../engine/train.ts';
import type { TrainingOptions } from '../../engine/training-options.ts';
import { value } from '../../graph/graph.ts';
import { parameterNames } from '../../graph/sites.ts';
import { float32Of } from '../../graph/tensor.ts';
import { depthsOf } from '../../models/anatomy/depth.ts';
import type { Model } from '../../models/model.ts';
import { trainStage } from '../../stages/train/index.ts';
import { bytesOfModel, labelsAlone, memoryCheckpoints, tinyModel, tinyOptions, tinyRequest } from './rig.ts';

/** The first step of AdamW is the rate itself, but for epsilon and rounding to float32. */
const ROUNDED = 1e-3;

const groupsOf = ({ graph }: Model): Readonly<Record<string, readonly string[]>> => {
  const { groups, of } = depthsOf(graph);
  return Object.fromEntries([...of].map(([name, depths]) => [name, depths.map((depth) => groups[depth] ?? '')]));
};

describe('the depth of parameters', () => {
  it.each(['pre', 'post'] as const)('is embeddings, layers and head in a %s-norm encoder', (norm) => {
    const model = tinyModel({ norm });
    expect(depthsOf(model.graph).groups).toEqual(['embeddings', 'layers.0', 'layers.1', 'head']);
    for (const [name, groups] of Object.entries(groupsOf(model))) {
      const [, layer] = /^encoder\.layer\.(\d)\./.exec(name) ?? [];
      const expected =
        layer === undefined ? (name.startsWith('embeddings.') ? 'embeddings' : 'head') : `layers.${layer}`;
      expect({ name, groups }).toEqual({ name, groups: [expected] });
    }
  });
});

const trainedWith = (options: Partial<TrainingOptions>, model = tinyModel()) =>
  train(tinyRequest({ model, options: { ...tinyOptions, epochs: 1, ...options } }));

const largestMove = (before: Model, after: Model, name: string): number => {
  const [a, b] = [before, after].map(({ graph }) => graph.weights.get(value(name)));
  if (a === undefined || b === undefined) throw new Error(`no weight '${name}'`);
  const old = float32Of(a);
  return float32Of(b).reduce((most, x, i) => Math.max(most, Math.abs(x - (old[i] ?? 0))), 0);
};

const movedGroups = (before: Model, after: Model): ReadonlySet<string> =>
  new Set(
    Object.entries(groupsOf(before))
      .filter(([name]) => largestMove(before, after, name) > 0)
      .flatMap(([, groups]) => groups),
  );

describe('frozen parts', () => {
  it.each([
    [
      ['embeddings', 'layers.0'],
      ['layers.1', 'head'],
    ],
    [['layers.0-1'], ['embeddings', 'head']],
    [
      ['head', 'embeddings'],
      ['layers.0', 'layers.1'],
    ],
  ])('%j stand still, everything else moves', async (freeze, moving) => {
    const before = tinyModel();
    const { model, summary } = await trainedWith({ freeze }, before);
    expect(movedGroups(before, model)).toEqual(new Set(moving));
    const elements = Object.entries(groupsOf(before))
      .filter(([, groups]) => groups.some((group) => moving.includes(group)))
      .map(([name]) => (before.graph.weights.get(value(name))?.dims ?? []).reduce((a, b) => a * b, 1));
    expect(summary.trainedParameters).toBe(elements.reduce((a, b) => a + b, 0));
  });

  it('get no gradients: nothing is computed backwards below the lowest part that moves', () => {
    const model = tinyModel();
    const inside = (name: string): boolean => !name.startsWith('classifier');
    const frozen = new Set(parameterNames(model.graph).filter(inside));
    const whole = buildStep(model, { losses: [labelsAlone], dropout: 0 });
    const head = buildStep(model, { losses: [labelsAlone], dropout: 0, frozen });
    expect(head.parameters.map(({ name }) => name)).toEqual(['classifier.weight', 'classifier.bias']);
    const backward = ({ graph }: typeof whole): number =>
      graph.nodes.filter(({ name }) => name.startsWith('backward/')).length;
    expect(backward(head)).toBeLessThan(backward(whole) / 20);
  });

  it('go on standing still after an interruption', async () => {
    const options = { ...tinyOptions, freeze: ['embeddings'] };
    const whole = await train(tinyRequest({ options }));
    const checkpoints = memoryCheckpoints();
    const controller = new AbortController();
    let left = 7;
    const hook = { afterUpdate: () => void (--left === 0 && controller.abort(new Error('interrupted'))) };
    const first = train(tinyRequest({ options, checkpoints, hook, signal: controller.signal }));
    await expect(first).rejects.toThrow('interrupted');
    const { model } = await train(tinyRequest({ options, checkpoints }));
    expect(bytesOfModel(model)).toBe(bytesOfModel(whole.model));
  });

  it.each([
    [['layers.2'], "freeze: the model has no part 'layers.2'; it has embeddings, layers.0 to layers.1, head"],
    [
      ['layers.1-3'],
      "freeze: the model has no part 'layers.2' of 'layers.1-3'; it has embeddings, layers.0 to layers.1, head",
    ],
    [
      ['layers.0-99999999999'],
      "freeze: the model has no part 'layers.2' of 'layers.0-99999999999'; it has embeddings, layers.0 to layers.1, head",
    ],
    [
      ['embeddings', 'layers.0-1', 'head'],
      'freeze: [embeddings, layers.0-1, head] leaves no parameter that training could move; freeze less',
    ],
  ])('%j are refused with what the model has', async (freeze, message) => {
    await expect(trainedWith({ freeze })).rejects.toMatchObject({ kind: 'stage', message });
  });

  it.each([
    ['embedings', `; did you mean 'embeddings'?`],
    ['layer.0', `; did you mean 'layers.0'?`],
    ['encoder', ''],
  ])('are checked before anything runs: %s', (name, hint) => {
    const parsed = trainStage.config.safeParse({ freeze: ['head', name] });
    expect(parsed.error?.issues).toMatchObject([
      {
        path: ['freeze', 1],
        message: `expected a part of the model: embeddings, head, a layer such as layers.0, or layers.0-2; found "${name}"${hint}`,
      },
    ]);
    expect(trainStage.config.safeParse({ freeze: ['layers.2-0'] }).error?.issues).toMatchObject([
      { path: ['freeze', 0], message: 'expected layers in rising order, as layers.0-2; found "layers.2-0"' },
    ]);
  });
});

describe('layer-wise decay', () => {
  it('gives each layer a share of the rate of the layer above it', async () => {
    const before = tinyModel();
    const rate = 1e-3;
    const { model } = await trainedWith(
      {
        steps: 1,
        learningRate: rate,
        headLearningRate: 2 * rate,
        layerDecay: 0.5,
        weightDecay: 0,
        schedule: { kind: 'constant', warmup: 0 },
      },
      before,
    );
    const moves = (name: string): number => largestMove(before, model, name) / rate;
    expect(moves('classifier.weight')).toBeCloseTo(2, 2);
    expect(moves('encoder.layer.1.output.dense.weight')).toBeCloseTo(1, 2);
    expect(moves('encoder.layer.0.output.dense.weight')).toBeCloseTo(0.5, 2);
    expect(Math.abs(moves('embeddings.word_embeddings.weight') - 0.25)).toBeLessThan(ROUNDED);
  });

  it('of 1 changes nothing', async () => {
    const [plain, decayed] = await Promise.all([trainedWith({ steps: 3 }), trainedWith({ steps: 3, layerDecay: 1 })]);
    expect(bytesOfModel(decayed.model)).toBe(bytesOfModel(plain.model));
  });
});
