import { describe, expect, it } from 'vitest';
import { type Value, value } from '../../graph/graph.ts';
import { float32Of, type Tensor, tensorOf } from '../../graph/tensor.ts';
import { layerUnits } from '../../models/anatomy/units.ts';
import { anatomyOf } from '../../models/anatomy.ts';
import { withCache } from '../../models/cache.ts';
import { importModel } from '../../models/importers/index.ts';
import type { Model } from '../../models/model.ts';
import { infoAfter } from '../../stages/prune/info.ts';
import { poolKeys } from '../../stages/prune/key-heads.ts';
import { goldenDecoders, goldenFolder } from '../decoders/golden.ts';
import { scoresOf } from '../decoders/scores.ts';
import { tinyDecoder } from '../decoders/tiny.ts';

const HEADS = 4;
const WIDTH = 8;

const projections = ['k', 'v'].flatMap((role) =>
  [0, 1].map((layer) => value(`model.layers.${layer}.self_attn.${role}_proj.weight`)),
);

const tensorAt = ({ graph }: Model, name: Value): Tensor => {
  const tensor = graph.weights.get(name);
  if (tensor === undefined) throw new Error(`no weight ${name}`);
  return tensor;
};

/** A column of a matrix (rows, columns). */
const columnOf = (tensor: Tensor, column: number): readonly number[] => {
  const [rows = 0, columns = 0] = tensor.dims;
  const data = float32Of(tensor);
  return Array.from({ length: rows }, (_, row) => data[row * columns + column] ?? Number.NaN);
};

/** The decoder with the keys and values of every second head in those behind it, too. */
const inPairs = (model: Model): Model => {
  const weights = new Map(model.graph.weights);
  for (const name of projections) {
    const tensor = tensorAt(model, name);
    const data = float32Of(tensor).map((_, i, all) => {
      const [row, column] = [Math.floor(i / (HEADS * WIDTH)), i % (HEADS * WIDTH)];
      const head = Math.floor(column / WIDTH);
      return all[row * HEADS * WIDTH + (head - (head % 2)) * WIDTH + (column % WIDTH)] ?? 0;
    });
    weights.set(name, tensorOf('float32', tensor.dims, data));
  }
  return { ...model, graph: { ...model.graph, weights } };
};

const rows = [
  [5, 17, 33, 4, 90, 12, 7],
  [8, 8, 41],
];

const answers = async (model: Model) => (await scoresOf(model, rows, (scores) => scores)).flat(2);

const kvHeadsOf = ({ graph }: Model): readonly number[] => {
  const anatomy = anatomyOf(graph);
  return anatomy.layers.map((layer) => layerUnits(graph, anatomy, layer).kvHeads);
};

describe('fewer heads of keys and values', () => {
  it('answer the same where those that each stands for were alike', async () => {
    const whole = inPairs(tinyDecoder({ kvHeads: HEADS }));
    const { model, metrics } = poolKeys(whole, { kvHeads: '50%' });
    expect(metrics).toEqual({ kvHeads: { from: 4, to: 2 } });
    expect(kvHeadsOf(model)).toEqual([2, 2]);
    const [before, after] = [await answers(whole), await answers(model)];
    expect(Math.max(...before.map((score, i) => Math.abs(score - (after[i] ?? Number.NaN))))).toBeLessThan(1e-5);
  });

  it('are the means of those that they stand for', () => {
    const whole = tinyDecoder({ kvHeads: HEADS });
    const { model } = poolKeys(whole, { kvHeads: 2 });
    for (const name of projections) {
      const [before, after] = [tensorAt(whole, name), tensorAt(model, name)];
      expect(after.dims).toEqual([32, 2 * WIDTH]);
      for (let column = 0; column < 2 * WIDTH; column++) {
        const [head, inside] = [Math.floor(column / WIDTH), column % WIDTH];
        const [one, other] = [0, 1].map((i) => columnOf(before, (2 * head + i) * WIDTH + inside));
        const mean = (one ?? []).map((x, i) => (x + (other?.[i] ?? 0)) / 2);
        for (const [i, x] of columnOf(after, column).entries()) expect(x).toBeCloseTo(mean[i] ?? 0, 6);
      }
    }
  });

  it.each(goldenDecoders)(
    'of a checkpoint of %s are as many as asked for, or refused where clients know of none',
    async (name) => {
      const model = await importModel(`./${name}`, goldenFolder);
      if (model.info.dimensions.kvHeads === undefined) {
        expect(() => poolKeys(model, { kvHeads: 1 })).toThrow(/^keep.kvHeads: clients of a (?:gpt2|gpt_neox|opt) take/);
        return;
      }
      const fewest = poolKeys(model, { kvHeads: 1 }).model;
      expect(new Set(kvHeadsOf(fewest))).toEqual(new Set([1]));
      expect(infoAfter(fewest.info, fewest.graph).dimensions.kvHeads).toBe(1);
      for (const { axes } of withCache(fewest).info.signature.states ?? []) expect(axes[1]).toBe(1);
      expect((await answers(fewest)).every(Number.isFinite)).toBe(true);
    },
  );

  it('leave the model as it is where there are no more', () => {
    const whole = tinyDecoder();
    expect(poolKeys(whole, { kvHeads: 2 }).model.graph).toBe(whole.graph);
    expect(poolKeys(whole, {}).model).toBe(whole);
  });

  it.each([
    [3, 'keep.kvHeads: 3 heads cannot stand for 4 in equal groups'],
    [8, 'keep.kvHeads: 8 were to be kept of 4 in layer 0'],
  ])('are refused where they do not divide: %d', (kvHeads, message) => {
    expect(() => poolKeys(tinyDecoder({ kvHeads: HEADS }), { kvHeads })).toThrow(message);
  });
});
