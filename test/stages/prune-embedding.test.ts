import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { value } from '../../graph/graph.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { float32Of, tensorOf } from '../../graph/tensor.ts';
import { anatomyOf } from '../../models/anatomy.ts';
import { readModelArtifact } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { symmetricEigen } from '../../stages/prune/eigen.ts';
import { factorise } from '../../stages/prune/factorise.ts';
import { prune } from '../../stages/prune/index.ts';
import { batchOf, largestDifference, outputsOf, smallEncoder } from '../models/support.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';
import { classes, datasetArtifact, modelArtifact, runStage, smallDataset } from './training-rig.ts';

/** Errors of float64 sums over some dozen terms, relative to the largest eigenvalue. */
const DOUBLE = 1e-12;
/** Factors are stored as float32: their product is off by some roundings. */
const SINGLE = 1e-5;

const numbers = (length: number, seed: number): Float64Array => {
  const random = stream(seed, 'matrix');
  return Float64Array.from({ length }, () => random.normal());
};

const product = (a: ArrayLike<number>, b: ArrayLike<number>, [n, k, m]: readonly [number, number, number]): number[] =>
  Array.from({ length: n * m }, (_, i) => {
    const [row, column] = [Math.floor(i / m), i % m];
    let sum = 0;
    for (let j = 0; j < k; j++) sum += (a[row * k + j] ?? 0) * (b[j * m + column] ?? 0);
    return sum;
  });

describe('eigenvectors of a symmetric matrix', () => {
  it('are orthogonal and bring the matrix back, whatever its size and rank', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 24 }), fc.nat(1000), (n, rank, seed) => {
        const half = numbers(n * rank, seed);
        const matrix = Float64Array.from({ length: n * n }, (_, i) => {
          const [a, b] = [Math.floor(i / n), i % n];
          let sum = 0;
          for (let j = 0; j < rank; j++) sum += (half[a * rank + j] ?? 0) * (half[b * rank + j] ?? 0);
          return sum;
        });
        const { values, vectors } = symmetricEigen(matrix, n);
        const scaled = vectors.map((x, i) => x * (values[Math.floor(i / n)] ?? 0));
        const turned = Float64Array.from({ length: n * n }, (_, i) => vectors[(i % n) * n + Math.floor(i / n)] ?? 0);
        const most = Math.max(1, values[0] ?? 0);
        expect(largestDifference(product(turned, scaled, [n, n, n]), [...matrix])).toBeLessThan(DOUBLE * most);
        const unit = Array.from({ length: n * n }, (_, i) => Number(i % n === Math.floor(i / n)));
        expect(largestDifference(product(vectors, turned, [n, n, n]), unit)).toBeLessThan(DOUBLE * n);
        expect([...values]).toEqual([...values].sort((a, b) => b - a));
      }),
      { numRuns: 60 },
    );
  });
});

const [rows, width] = [40, 12];
const table = tensorOf('float32', [rows, width], Float32Array.from(numbers(rows * width, 7)));
const ones = { weights: new Float64Array(rows).fill(1), threads: 1 };

const errorAt = async (rank: number, options = ones): Promise<{ readonly error: number; readonly energy: number }> => {
  const { rows: a, projection: b, energy } = await factorise(table, rank, options);
  const rebuilt = product(float32Of(a), float32Of(b), [rows, rank, width]);
  const weights = options.weights;
  const error = float32Of(table).reduce(
    (sum, x, i) => sum + (weights[Math.floor(i / width)] ?? 0) * (x - (rebuilt[i] ?? 0)) ** 2,
    0,
  );
  return { error, energy };
};

describe('two factors of a table', () => {
  it('are exact at full rank', async () => {
    const { error, energy } = await errorAt(width);
    expect(Math.sqrt(error)).toBeLessThan(SINGLE);
    expect(energy).toBe(1);
  });

  it('leave the tail of the spectrum as their error', async () => {
    const e = float32Of(table);
    const gram = Float64Array.from({ length: width * width }, (_, i) => {
      let sum = 0;
      for (let r = 0; r < rows; r++)
        sum += (e[r * width + Math.floor(i / width)] ?? 0) * (e[r * width + (i % width)] ?? 0);
      return sum;
    });
    const { values } = symmetricEigen(gram, width);
    for (const rank of [1, 4, 9]) {
      const tail = values.subarray(rank).reduce((a, b) => a + b, 0);
      expect((await errorAt(rank)).error).toBeCloseTo(tail, 3);
    }
  });

  it('are nearer to the rows that matter more', async () => {
    const weights = Float64Array.from({ length: rows }, (_, i) => (i < 6 ? 100 : 1));
    const { rows: a, projection: b } = await factorise(table, 6, { weights, threads: 1 });
    const rebuilt = product(float32Of(a), float32Of(b), [rows, 6, width]);
    const even = await factorise(table, 6, ones);
    const plain = product(float32Of(even.rows), float32Of(even.projection), [rows, 6, width]);
    const off = (of: readonly number[]): number =>
      float32Of(table).reduce((sum, x, i) => sum + (i < 6 * width ? (x - (of[i] ?? 0)) ** 2 : 0), 0);
    expect(off(rebuilt)).toBeLessThan(off(plain) / 4);
  });
});

const pruned = async (space: Workspace, model: Model, keep: unknown, name = 'pruned'): Promise<Model> => {
  const inputs = {
    model: await modelArtifact(space, `${name}-given`, model),
    dataset: await datasetArtifact(space, smallDataset()),
  };
  const { output } = await runStage(space, prune, inputs, { keep, examples: 64 }, { name });
  return readModelArtifact(output.path);
};

const feeds = [
  batchOf([
    [2, 3, 4, 9],
    [5, 6],
  ]),
];
const tokens = value('embeddings.word_embeddings.weight');

describe.each(['pre', 'post'] as const)('a %s-norm encoder with factorised embeddings', (norm) => {
  const whole = smallEncoder({ labels: classes, norm });

  it('says the same where nothing of the table is lost', async () => {
    using space = workspace();
    // Ten rows of 16 numbers have rank 10.
    const model = await pruned(space, whole, { embedding: 10 });
    const [before] = await outputsOf(whole.graph, feeds);
    const [after] = await outputsOf(model.graph, feeds);
    expect(largestDifference(after ?? [], before ?? [])).toBeLessThan(SINGLE);
    expect(model.graph.weights.get(tokens)?.dims).toEqual([10, 10]);
    expect(model.info.dimensions).toMatchObject({ embedding: 10, hidden: 16 });
    expect(model.info.hiddenStates).toEqual(whole.info.hiddenStates);
  });

  it('still has a table, a stream, and an embedding width that can be cut', async () => {
    using space = workspace();
    const narrow = await pruned(space, whole, { embedding: 8 });
    const anatomy = anatomyOf(narrow.graph);
    expect(anatomy).toMatchObject({ table: tokens, embeddingWidth: 8, embedding: { count: 8 } });
    expect(anatomy.hidden.map(({ count }) => count)).toEqual([16]);
    expect(anatomy.layers).toHaveLength(2);
    const again = await pruned(space, narrow, { embedding: 6, hidden: 12, heads: 2, ffn: 16 }, 'again');
    expect(anatomyOf(again.graph)).toMatchObject({ embeddingWidth: 6, hidden: [{ count: 12 }] });
  });

  it('is stored in 8 bits like any other', async () => {
    using space = workspace();
    const narrow = await pruned(space, smallEncoder({ labels: classes, norm, vocabulary: 600 }), { embedding: 8 });
    const { graph, report } = quantizeWeights(fuseForInference(narrow.graph), { minimumTable: 0, minimumElements: 0 });
    const stored = report.weights.filter(({ name }) => name.startsWith('embeddings.word_embeddings'));
    expect(stored.map(({ storage }) => storage)).toEqual(['int8', 'int8']);
    const [before] = await outputsOf(narrow.graph, feeds);
    const [after] = await outputsOf(graph, feeds);
    expect(largestDifference(after ?? [], before ?? [])).toBeLessThan(0.1);
  });
});

describe('a width that the embeddings do not have', () => {
  it('is refused', async () => {
    using space = workspace();
    await expect(pruned(space, smallEncoder({ labels: classes }), { embedding: 17 })).rejects.toThrow(
      'keep.embedding: 17 was to be kept, but the token embeddings are 16 wide',
    );
  });
});
