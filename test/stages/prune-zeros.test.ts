import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gram, gramsOf } from '../../engine/layerwise/grams.ts';
import { value } from '../../graph/graph.ts';
import { sitesOf } from '../../graph/sites.ts';
import { float32Of } from '../../graph/tensor.ts';
import type { Model } from '../../models/model.ts';
import { pruneConfig } from '../../stages/prune/config.ts';
import { placeIn } from '../../stages/prune/plane.ts';
import { planeOf } from '../../stages/prune/plane-of.ts';
import { calibrationTexts, productOf, watchingOf } from '../../stages/prune/products.ts';
import { saliencies } from '../../stages/prune/saliencies/index.ts';
import type { PruneContext } from '../../stages/prune/subject.ts';
import { isTaught } from '../../stages/prune/zero-options.ts';
import { makeZeros, sparseNames } from '../../stages/prune/zeroed.ts';
import { expectedOf, goldenNames, importGolden } from '../models/golden-checkpoints.ts';
import { smallEncoder } from '../models/support.ts';
import { openPruneFolder, type PruneFolder } from './prune-folder.ts';
import { dataset, lossOf, trainingTexts } from './prune-rig.ts';

let model: Model;
let inputs: PruneFolder['inputs'];
let stored: PruneFolder['stored'];
let run: PruneFolder['run'];
let remove: PruneFolder['remove'];
beforeAll(async () => {
  ({ model, inputs, stored, run, remove } = await openPruneFolder());
});
afterAll(() => remove());

const dataOf = ({ graph }: Model, name: string): Float32Array => {
  const tensor = graph.weights.get(value(name));
  if (tensor === undefined) throw new Error(`no weight ${name}`);
  return float32Of(tensor);
};

const zerosIn = (one: Model, names: readonly string[]): { readonly zeros: number; readonly of: number } => {
  const all = names.map((name) => dataOf(one, name));
  return {
    zeros: all.reduce((sum, data) => sum + data.filter((w) => w === 0).length, 0),
    of: all.reduce((sum, { length }) => sum + length, 0),
  };
};

const optionsOf = (config: unknown) => pruneConfig.parse(config);

const settings = { seed: 1, threads: 1, signal: new AbortController().signal, progress: () => undefined };

/** The same without files. */
const made = async (config: unknown): Promise<Model> =>
  (await makeZeros(model, optionsOf(config), { ...settings, texts: trainingTexts })).model;

/** How many of each row of 4 inputs, and of each block of 4 outputs x 2 inputs, are 0. */
const tallies = (of: Model, name: string, [rows, columns]: readonly [number, number]): readonly number[] => {
  const [data, plane] = [dataOf(of, name), planeOf(model.graph, value(name))];
  const counts = new Array<number>((plane.rows / rows) * (plane.width / columns)).fill(0);
  for (let row = 0; row < plane.rows; row++) {
    for (let column = 0; column < plane.width; column++) {
      const at = Math.floor(row / rows) * (plane.width / columns) + Math.floor(column / columns);
      counts[at] = (counts[at] ?? 0) + Number(data[placeIn(plane, row, column)] === 0);
    }
  }
  return counts;
};

describe.each(saliencies.filter((one) => !isTaught(one)))('zeros by $name', ({ name, reads }) => {
  const sees = reads === 'inputs' || reads === 'correlations';
  const asked = { saliency: name, examples: 24, ...(sees ? { calibration: 24 } : {}) };

  it('have the very share, and leave the rest of the model as it was', async () => {
    const config = { ...asked, sparsity: '60%' };
    const sparse = await made(config);
    const names = sparseNames(model, optionsOf(config));
    const { zeros, of } = zerosIn(sparse, names);
    expect(zeros).toBe(Math.ceil(0.6 * of));
    const biases = new Set(sees ? names.flatMap((one) => productOf(model.graph, one)?.bias ?? []) : []);
    for (const [other] of model.graph.weights) {
      if (names.includes(other) || biases.has(other)) continue;
      expect(sparse.graph.weights.get(other)?.bytes.read()).toEqual(model.graph.weights.get(other)?.bytes.read());
    }
  });

  it('stand 2 of 4, the same again', async () => {
    const config = { ...asked, pattern: '2:4' };
    const [sparse, again] = [await made(config), await made(config)];
    for (const one of sparseNames(model, optionsOf(config))) {
      expect(new Set(tallies(sparse, one, [1, 4]))).toEqual(new Set([2]));
      expect(dataOf(sparse, one)).toEqual(dataOf(again, one));
    }
  });

  it('stand in blocks of 4 outputs x 2 inputs, as many as are asked for', async () => {
    const config = { ...asked, pattern: '4x2', sparsity: 0.5 };
    const sparse = await made(config);
    const all = sparseNames(model, optionsOf(config)).flatMap((one) => tallies(sparse, one, [4, 2]));
    expect(new Set(all)).toEqual(new Set([0, 8]));
    expect(all.filter((count) => count === 8)).toHaveLength(Math.ceil(0.5 * all.length));
  });
});

describe('in the written file', () => {
  it.each([
    ['2:4', 'sparsegpt', [1, 4], [2]],
    ['4x2', 'fisher', [4, 2], [0, 8]],
  ] as const)(
    'zeros stand in the pattern %s by %s, and the report says how they were chosen',
    async (text, saliency, unit, counts) => {
      const config = { pattern: text, saliency, examples: 24, ...(text === '2:4' ? {} : { sparsity: '50%' }) };
      const { model: sparse, metrics } = await run(config);
      const names = sparseNames(model, optionsOf(config));
      expect(sparse.info.sparse).toEqual(names);
      expect(new Set(names.flatMap((name) => tallies(sparse, name, unit)))).toEqual(new Set(counts));
      const among = text === '2:4' ? { reconstruct: true } : { compete: 'model', reconstruct: false };
      expect(metrics).toMatchObject({ sparsity: { asked: 0.5, matrices: 0.5, pattern: text, saliency, ...among } });
    },
  );
});

describe('zeros', () => {
  it('harm less where they are chosen by what harms', async () => {
    const losses = new Map<string, number>();
    for (const saliency of ['random', 'magnitude', 'sparsegpt', 'taylor', 'fisher', 'obs']) {
      const sparse = await run({
        sparsity: 0.6,
        saliency,
        embeddings: saliency === 'sparsegpt' ? undefined : false,
        examples: 128,
      });
      losses.set(saliency, await lossOf(sparse.model));
    }
    const lossBy = (name: string): number => losses.get(name) ?? Number.NaN;
    for (const better of ['sparsegpt', 'taylor', 'fisher', 'obs'])
      expect(lossBy(better)).toBeLessThan(lossBy('random'));
    expect(lossBy('sparsegpt')).toBeLessThan(lossBy('magnitude'));
  });

  it('are held while the model recovers, wherever they were chosen', async () => {
    const config = { pattern: '2:4', saliency: 'wanda', recover: { uses: 'train', epochs: 1, batch: 32 } };
    const { model: trained } = await run(config);
    const { model: once } = await run({ ...config, recover: undefined });
    for (const name of sparseNames(model, optionsOf(config))) {
      const isZero = (one: Model): boolean[] => [...dataOf(one, name)].map((w) => w === 0);
      expect(isZero(trained)).toEqual(isZero(once));
      expect(dataOf(trained, name)).not.toEqual(dataOf(once, name));
    }
  });

  it('of before stay where more are made', async () => {
    const first = await run({ sparsity: 0.4, saliency: 'sparsegpt' });
    const given = { ...inputs, model: await stored('sparse', first.model) };
    for (const saliency of ['sparsegpt', 'wanda', 'fisher']) {
      const { model: second } = await run({ sparsity: 0.7, saliency, embeddings: undefined, examples: 32 }, given);
      for (const name of sparseNames(model, optionsOf({ sparsity: 0.7, saliency: 'wanda' }))) {
        const [before, after] = [dataOf(first.model, name), dataOf(second, name)];
        expect(before.every((w, i) => w !== 0 || after[i] === 0)).toBe(true);
      }
    }
  });

  it('need no labels and no task where inputs are looked at', async () => {
    const features = await stored('features', smallEncoder({ labels: [] }));
    const { metrics } = await run({ sparsity: 0.5, saliency: 'wanda' }, { ...inputs, model: features });
    expect(metrics).toMatchObject({ sparsity: { matrices: 0.5 } });
    await expect(run({ sparsity: 0.5, saliency: 'fisher' }, { ...inputs, model: features })).rejects.toThrow(
      'saliency fisher measures a loss on what the data says, the model puts out features; train it first, or choose ' +
        'saliency: magnitude',
    );
  });

  it('are refused where the pattern does not fit a matrix, with its name and size', async () => {
    await expect(run({ pattern: '2:5' })).rejects.toThrow(
      /pattern 2:5 wants multiples of 1 outputs and 5 inputs, and '.*' has \d+ outputs x \d+ inputs/,
    );
  });
});

/** Squared error of what one product gives of all that it reads: sum of (off x + b)^2, b being how far its bias moved. */
const errorBy = (gram: Gram, off: readonly number[], b: number): number => {
  const { width, products, sums, rows } = gram;
  let error = rows * b * b;
  for (let i = 0; i < width; i++) {
    error += 2 * b * (off[i] ?? 0) * (sums[i] ?? 0);
    for (let j = 0; j < width; j++) error += (off[i] ?? 0) * (products[i * width + j] ?? 0) * (off[j] ?? 0);
  }
  return error;
};

/** That of each product, which reads what a dense model gives it. */
const errorsOf = async (
  dense: Model,
  sparse: Model,
  names: readonly string[],
  context: PruneContext,
): Promise<readonly number[]> => {
  const products = names.flatMap((name) => productOf(dense.graph, value(name)) ?? []);
  const texts = await calibrationTexts(dense, 64, context);
  const values = [...new Set(products.flatMap((one) => one.inputs))];
  const grams = await gramsOf(watchingOf(dense, context), values, texts, () => undefined);
  return products.map(({ weight, inputs: read, bias }) => {
    const [before, after, plane] = [dataOf(dense, weight), dataOf(sparse, weight), planeOf(dense.graph, weight)];
    const [was, is] = [dense, sparse].map((one) => (bias === undefined ? undefined : dataOf(one, bias)));
    let error = 0;
    for (let row = 0; row < plane.rows; row++) {
      const off = Array.from({ length: plane.width }, (_, i) => {
        const place = placeIn(plane, row, i);
        return (before[place] ?? 0) - (after[place] ?? 0);
      });
      const b = (was?.[row] ?? 0) - (is?.[row] ?? 0);
      for (const input of read) {
        const gram = grams.get(input);
        error += gram === undefined ? Number.NaN : errorBy(gram, off, b);
      }
    }
    return error;
  });
};

describe('the error of each layer on the texts', () => {
  const total = (errors: readonly number[]): number => errors.reduce((sum, error) => sum + error, 0);

  it.each(goldenNames)('of %s is below that of magnitude where what stays makes up for it', async (name) => {
    const golden = await importGolden(name);
    const { labels, task } = golden.info;
    const own = expectedOf(name).text.map((text, id) => ({ id, text }));
    const texts = [...dataset.train.slice(0, 24), ...own].map((one, i) => ({ ...one, target: i % labels.length }));
    const learned = task === 'text-classification';
    const context: PruneContext = {
      ...settings,
      texts: {
        ...{
          ...trainingTexts,
          task: learned ? task : 'features',
          classes: learned ? labels : [],
          labelled: texts.length,
        },
        pick: async (places) => Array.from(places, (at) => texts[at] ?? []).flat(),
      },
    };
    const half = { sparsity: 0.5, embeddings: false, compete: 'matrix' };
    const names = sparseNames(golden, optionsOf({ sparsity: 0.5, saliency: 'sparsegpt' }));
    const errors = async (config: unknown) =>
      errorsOf(golden, (await makeZeros(golden, optionsOf(config), context)).model, names, context);
    const plain = await errors(half);
    const walked = await errors({ sparsity: 0.5, saliency: 'sparsegpt', calibration: 64 });
    expect(names.length).toBeGreaterThan(0);
    for (const [i, error] of walked.entries()) expect(error).toBeLessThan(plain[i] ?? 0);
    if (!learned) return;
    // What a loss asks for is not what one layer errs by: only all of them together are less.
    const surgeon = { ...half, saliency: 'obs', examples: 24, reconstruct: true, calibration: 64 };
    expect(total(await errors(surgeon))).toBeLessThan(total(plain));
  });
});

describe('products', () => {
  it('are matrices that something is multiplied by, and nothing else', () => {
    const { graph } = model;
    for (const { weight, use } of sitesOf(graph)) {
      expect(productOf(graph, weight) !== undefined).toBe(use.kind === 'linear');
    }
  });
});
