import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stream } from '../../data/random.ts';
import { HeldZeros } from '../../engine/held.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { parameterNames, sitesOf } from '../../graph/sites.ts';
import { float32Of, type Tensor } from '../../graph/tensor.ts';
import { hiddenStatesOf } from '../../models/anatomy/hidden-states.ts';
import { roleOf } from '../../models/anatomy/roles.ts';
import { anatomyOf, partsOf } from '../../models/anatomy.ts';
import type { Model } from '../../models/model.ts';
import { label } from '../../stages/label/index.ts';
import { prunableNames } from '../../stages/prune/sparse.ts';
import { importGolden } from '../models/golden-checkpoints.ts';
import { smallEncoder } from '../models/support.ts';
import { openPruneFolder, type PruneFolder } from './prune-folder.ts';
import { risingZeros } from './prune-hook.ts';
import { artifactOf, contextIn } from './stage-rig.ts';

let folder: string;
let model: Model;
let inputs: PruneFolder['inputs'];
let stored: PruneFolder['stored'];
let run: PruneFolder['run'];
let remove: PruneFolder['remove'];
beforeAll(async () => {
  ({ folder, model, inputs, stored, run, remove } = await openPruneFolder());
});
afterAll(() => remove());

const counts = ({ graph }: Model): Readonly<Record<string, number>> =>
  Object.fromEntries(partsOf(anatomyOf(graph)).map(({ name, count }) => [name, count]));

describe('structure', () => {
  test('is cut to what is kept, and the report says what was cut', async () => {
    const { model: slim, metrics } = await run({ keep: { hidden: 24, heads: '50%', ffn: '40%' }, examples: 64 });
    expect(counts(slim)).toEqual({
      hidden: 24,
      'layer 0 heads': 2,
      'layer 0 ffn': 24,
      'layer 1 heads': 2,
      'layer 1 ffn': 24,
      'layer 2 heads': 2,
      'layer 2 ffn': 24,
    });
    expect(slim.info.dimensions).toMatchObject({ hidden: 24, heads: 2, ffn: 24, layers: 3 });
    expect(slim.info.hiddenStates).toEqual(model.info.hiddenStates);
    expect(metrics).toMatchObject({
      structure: {
        criterion: 'taylor',
        'layer 0 ffn': { from: 64, to: 24, asked: 25.6 },
        hidden: { from: 32, to: 24 },
      },
    });
  });

  test('loses whole layers, and the hidden states with them', async () => {
    const { model: shallow, metrics } = await run({ keep: { layers: 1 }, examples: 64 });
    expect(anatomyOf(shallow.graph).layers).toHaveLength(1);
    expect(shallow.info.dimensions).toMatchObject({ layers: 1 });
    expect(hiddenStatesOf(shallow)).toHaveLength(1);
    expect(metrics).toMatchObject({ structure: { layers: { from: 3, to: 1 } } });
  });

  test('keeps the layers that are named, by their numbers', async () => {
    const { model: shallow, metrics } = await run({ keep: { layers: [0, 2] } });
    expect(anatomyOf(shallow.graph).layers).toHaveLength(2);
    expect(hiddenStatesOf(shallow)).toEqual([hiddenStatesOf(model)[0], hiddenStatesOf(model)[2]]);
    expect(metrics).toEqual({ structure: { layers: { from: 3, to: 2, kept: [0, 2] } } });
    const names = parameterNames(shallow.graph);
    expect(names.some((name) => name.includes('encoder.layer.1.'))).toBe(false);
    for (const name of names)
      expect(shallow.graph.weights.get(name)?.dims).toEqual(model.graph.weights.get(name)?.dims);
  });

  test('competes over all layers where the scope is global', async () => {
    const { model: slim } = await run({ keep: { heads: 2, ffn: 16 }, scope: 'global', examples: 64 });
    const { layers } = anatomyOf(slim.graph);
    const sum = (kind: 'heads' | 'ffn') =>
      layers.flatMap((layer) => layer[kind]).reduce((all, { count }) => all + count, 0);
    expect(sum('heads')).toBe(6);
    expect(sum('ffn')).toBe(48);
    for (const { ffn } of layers) for (const { count } of ffn) expect(count % 8).toBe(0);
  });

  test.each(['layer', 'global'] as const)('ends at the same counts in one round and in three, by %s', async (scope) => {
    const keep = { hidden: 16, heads: 2, ffn: 16 };
    const once = await run({ keep, scope: 'layer', criterion: 'magnitude' });
    const thrice = await run({ keep, scope, rounds: 3, criterion: 'magnitude' });
    const total = (of: Model): number => Object.values(counts(of)).reduce((a, b) => a + b, 0);
    expect(total(thrice.model)).toBe(total(once.model));
    if (scope === 'layer') expect(counts(thrice.model)).toEqual(counts(once.model));
  });

  test.each([
    [{ keep: { heads: 8 } }, 'keep.heads: 8 heads were to be kept in layer 0 heads, which has 4; give at most 4'],
    [{ keep: { hidden: 512 } }, 'keep.hidden: 512 was to be kept, but the widest is 32; give at most 32'],
    [{ keep: { layers: 4 } }, 'keep.layers: 4 layers were to be kept of a model that has 3'],
    [{ keep: { layers: [0, 3] } }, 'keep.layers: layer 3 was to be kept of a model whose layers are 0 to 2'],
  ])('%j is refused with what the model has', async (config, message) => {
    await expect(run({ ...config, criterion: 'magnitude' })).rejects.toThrow(message);
  });

  test('is not measured on a model without classes', async () => {
    const features = await stored('features', smallEncoder({ labels: [] }));
    await expect(run({ keep: { heads: 2 } }, { ...inputs, model: features })).rejects.toThrow(
      'criterion taylor measures a loss on what the data says, the model puts out features; train it first, or choose ' +
        'criterion: magnitude',
    );
  });
});

const zeros = (tensor: Tensor | undefined): number =>
  tensor === undefined ? 0 : float32Of(tensor).reduce((sum, w) => sum + Number(w === 0), 0);

const elements = (tensor: Tensor | undefined): number => (tensor?.dims ?? [0]).reduce((a, b) => a * b, 1);

/** Zeros and elements of all parameters of some roles. */
const tally = ({ graph, info }: Model, roles: readonly string[]): { readonly zeros: number; readonly of: number } => {
  const tensors = parameterNames(graph)
    .filter((name) => roles.includes(roleOf({ graph, info }, name)))
    .map((name) => graph.weights.get(name));
  return {
    zeros: tensors.reduce((sum, tensor) => sum + zeros(tensor), 0),
    of: tensors.reduce((sum, tensor) => sum + elements(tensor), 0),
  };
};

const every = ['matrix', 'embedding', 'classifier', 'norm', 'bias'];

describe('sparsity', () => {
  test('is the share of zeros in matrices and tables, to the very element', async () => {
    const before = tally(model, ['classifier', 'norm', 'bias']);
    const { model: sparse, metrics } = await run({ sparsity: '60%' });
    const after = tally(sparse, ['matrix', 'embedding']);
    expect(after.zeros).toBe(Math.ceil(0.6 * after.of));
    expect(tally(sparse, ['classifier', 'norm', 'bias'])).toEqual(before);
    const whole = tally(sparse, every);
    expect(metrics).toEqual({
      sparsity: {
        asked: 0.6,
        matrices: Number((after.zeros / after.of).toFixed(6)),
        model: Number((whole.zeros / whole.of).toFixed(6)),
      },
    });
  });

  test('can be a share of the whole model, and leave tables or include what it usually leaves', async () => {
    const over = tally((await run({ sparsity: 0.6, over: 'model' })).model, every);
    expect(over.zeros / over.of).toBeGreaterThanOrEqual(0.6);
    const { model: dense } = await run({ sparsity: 0.5, embeddings: false });
    expect(tally(dense, ['embedding']).zeros).toBe(tally(model, ['embedding']).zeros);
    const { model: wide } = await run({ sparsity: 0.9, include: ['classifier'] });
    expect(tally(wide, ['classifier']).zeros).toBeGreaterThan(0);
    await expect(run({ sparsity: 0.9, over: 'model', embeddings: false })).rejects.toThrow(
      /sparsity: 0.9 of all parameters are to be zero, but only \d+ parameters may be pruned/,
    );
  });

  test.each<[string, () => Model | Promise<Model>]>([
    ['a class', () => model],
    ['a number', () => taskOf('score').fit(smallEncoder({ labels: [] }), [])],
    ['some classes', () => taskOf('multi-label').fit(smallEncoder({ labels: [] }), ['a', 'b'])],
    ['a token, not tied to the table', () => importGolden('bert-untied')],
  ])('leaves what answers with %s dense unless it is included', async (_, made) => {
    const answering = await made();
    const { graph } = answering;
    const last = sitesOf(graph).flatMap(({ answers, weight }) => (answers ? [weight] : []));
    expect(last).toHaveLength(1);
    const which = { embeddings: true, include: [] };
    expect(prunableNames(answering, which)).not.toContain(last[0]);
    expect(prunableNames(answering, { ...which, include: ['classifier'] })).toContain(last[0]);
  });

  test('keeps the largest weights as they were', async () => {
    const { model: sparse } = await run({ sparsity: 0.7 });
    let [largestGone, smallestLeft] = [0, Number.POSITIVE_INFINITY];
    for (const name of parameterNames(model.graph)) {
      const [old, now] = [model.graph.weights.get(name), sparse.graph.weights.get(name)];
      if (old === undefined || now === undefined || !/matrix|embedding/.test(roleOf(model, name))) continue;
      const left = float32Of(now);
      float32Of(old).forEach((w, i) => {
        if (left[i] === 0) largestGone = Math.max(largestGone, Math.abs(w));
        else {
          expect(left[i]).toBe(w);
          smallestLeft = Math.min(smallestLeft, Math.abs(w));
        }
      });
    }
    expect(largestGone).toBeLessThanOrEqual(smallestLeft);
  });

  test.each([
    ['cubic', { uses: 'train', epochs: 2, batch: 32 }],
    ['linear', { uses: 'distill', teacher: 'teacher', epochs: 1, batch: 32 }],
  ])('rises in a %s manner during recovery and is held to the end', async (schedule, recover) => {
    const labelling = contextIn(join(folder, `label-${schedule}`));
    await label.run(inputs, {}, labelling);
    const outputs = await artifactOf(join(folder, `label-${schedule}`, 'teacher-outputs'), 'teacher-outputs');
    const given = { ...inputs, 'teacher-outputs': outputs };
    const { model: sparse, metrics } = await run({ sparsity: 0.75, schedule, every: 4, recover }, given);
    const pruned = tally(sparse, ['matrix', 'embedding']);
    expect(pruned.zeros).toBe(Math.ceil(0.75 * pruned.of));
    expect(metrics).toMatchObject({
      sparsity: { asked: 0.75 },
      training: { steps: recover.uses === 'train' ? 48 : 24 },
    });
    const moved = parameterNames(model.graph).some((name) => {
      const [old, now] = [model.graph.weights.get(name), sparse.graph.weights.get(name)];
      return old !== undefined && now !== undefined && roleOf(model, name) === 'bias'
        ? Buffer.compare(old.bytes.read(), now.bytes.read()) !== 0
        : false;
    });
    expect(moved).toBe(true);
  });
});

describe('gradual pruning', () => {
  const names = ['a', 'b'];
  const fresh = (): Map<string, Float32Array> => {
    const random = stream(3, 'gradual');
    return new Map(names.map((name) => [name, Float32Array.from({ length: 500 }, () => random.normal())]));
  };
  /** A stand-in for the optimizer: moves every weight, zeros too, by an amount that only step and place decide. */
  const update = (weights: ReadonlyMap<string, Float32Array>, step: number): void => {
    for (const [name, array] of weights) {
      const random = stream(4, name, step);
      array.forEach((w, i) => {
        array[i] = w + 0.05 * random.normal();
      });
    }
  };
  /** Gradual pruning as training runs it: weights are held after every update, and the hook called where it wants to be. */
  const pruning = (step: number, weights: ReadonlyMap<string, Float32Array>) => {
    const hook = risingZeros(new Map(names.map((name) => [name, 500])), { sparsity: 0.8, every: 3 });
    const held = new HeldZeros(hook.holds);
    const all = Array.from(weights, ([name, data]) => ({ name, data }));
    hook.start?.(step, 50, weights);
    held.remember(all);
    return async (done: number): Promise<void> => {
      held.apply(all);
      if (hook.wants?.(done, 50) === false) return;
      await hook.afterUpdate(done, 50, weights);
      held.remember(all);
    };
  };
  const zerosOf = (weights: ReadonlyMap<string, Float32Array>): number[] =>
    [...weights.values()].flatMap((array) => Array.from(array, (w) => Number(w === 0)));

  test('never gives a removed weight back, and ends at the very target', async () => {
    const weights = fresh();
    const prune = pruning(0, weights);
    let before = zerosOf(weights);
    for (let step = 1; step <= 50; step++) {
      update(weights, step);
      await prune(step);
      const after = zerosOf(weights);
      expect(after.every((zero, i) => zero >= (before[i] ?? 0))).toBe(true);
      before = after;
    }
    expect(before.reduce((a, b) => a + b)).toBe(800);
  });

  test.each([7, 20, 44])('goes on after a stop at step %i as if nothing had happened', async (stop) => {
    const [whole, part] = [fresh(), fresh()];
    const first = pruning(0, whole);
    for (let step = 1; step <= 50; step++) {
      update(whole, step);
      await first(step);
    }
    let second = pruning(0, part);
    for (let step = 1; step <= 50; step++) {
      update(part, step);
      await second(step);
      if (step === stop) second = pruning(step, part);
    }
    expect(part).toEqual(whole);
  });
});
