import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Dataset, type Example, labelOf } from '../../data/dataset.ts';
import { load } from '../../data/datasets/index.ts';
import { readPredictions } from '../../data/predictions.ts';
import { stream } from '../../data/random.ts';
import { rowOf } from '../../data/rows.ts';
import { fitsDense } from '../../stages/baseline/budget.ts';
import { learnVectorizer } from '../../stages/baseline/features.ts';
import { baseline } from '../../stages/baseline/index.ts';
import { DenseWeights, trainLogistic } from '../../stages/baseline/logistic.ts';
import { ridge, valuesAt } from '../../stages/baseline/ridge.ts';
import { postingsOf, SparseWeights } from '../../stages/baseline/sparse.ts';
import { root } from '../data/corpus.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';
import { artifactOf, contextIn } from './stage-rig.ts';
import { datasetArtifact } from './training-rig.ts';

const accuracies = z.object({
  majority: z.object({ score: z.number() }),
  linear: z.object({ score: z.number() }),
});

const run = async (space: Workspace, dataset: Dataset, context = {}): Promise<z.output<typeof accuracies>> => {
  const inputs = { dataset: await datasetArtifact(space, dataset) };
  return accuracies.parse(await baseline.run(inputs, {}, { ...contextIn(space.path('out')), ...context }));
};

const texts = (count: number, first: number, make: (i: number) => readonly [string, number]): Example[] =>
  Array.from({ length: count }, (_, i) => {
    const [text, label] = make(first + i);
    return { id: first + i, text, target: label };
  });

const made = (make: (i: number) => readonly [string, number]): Dataset => ({
  task: 'text-classification',
  classes: ['a', 'b', 'c'],
  maxLength: 16,
  train: texts(300, 0, make),
  unlabelled: [],
  validation: texts(60, 1000, make),
  test: texts(60, 2000, make),
});

/** (X^T C X + penalty I) w = X^T C y by elimination: X has few columns here. */
const closedForm = (x: readonly (readonly number[])[], y: readonly number[], penalty: number): readonly number[] => {
  const width = x[0]?.length ?? 0;
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const columns = Array.from({ length: width }, (_, j) => x.map((row) => row[j] ?? 0));
  const away = (values: readonly number[]): readonly number[] => values.map((value) => value - mean(values));
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, p, i) => sum + p * (b[i] ?? 0), 0);
  const rows = columns.map((column, i) => [
    ...columns.map((other, j) => dot(away(column), away(other)) + (i === j ? penalty : 0)),
    dot(away(column), away(y)),
  ]);
  for (const [i, pivot] of rows.entries()) {
    for (const [j, row] of rows.entries()) {
      const factor = (row[i] ?? 0) / (pivot[i] ?? 1);
      if (j !== i) rows[j] = row.map((value, k) => value - factor * (pivot[k] ?? 0));
    }
  }
  return rows.map((row, i) => (row[width] ?? 0) / (row[i] ?? 1));
};

describe('ridge', () => {
  const random = stream(1, 'ridge');
  const x = Array.from({ length: 40 }, () =>
    Array.from({ length: 6 }, () => (random.uniform() < 0.5 ? 0 : random.normal())),
  );
  const y = x.map((row) => 100 + 3 * (row[0] ?? 0) - (row[3] ?? 0) + random.normal());
  const offsets = Int32Array.from({ length: 41 }, (_, i) => 6 * i);
  const columns = Int32Array.from({ length: 240 }, (_, i) => i % 6);
  const rows = { offsets, columns, values: Float64Array.from(x.flat()) };

  it.each([0.1, 1, 30])(
    'finds the weights of the closed form at a penalty of %d, the constant left free',
    async (penalty) => {
      const expected = closedForm(x, y, penalty);
      const options = { features: 6, penalty, iterations: 100, start: new Float64Array(6), between: () => {} };
      const { weights, constant } = await ridge({ rows, numbers: Float64Array.from(y) }, options);
      weights.forEach((weight, j) => {
        expect(weight).toBeCloseTo(expected[j] ?? Number.NaN, 5);
      });
      const said = valuesAt(rows, { weights, constant });
      expect(said.reduce((a, b) => a + b, 0)).toBeCloseTo(
        y.reduce((a, b) => a + b, 0),
        6,
      );
    },
  );

  it('ends at once where it begins at the end', async () => {
    let passes = 0;
    const options = { features: 6, penalty: 1, iterations: 100, between: () => void passes++ };
    const numbers = Float64Array.from(y);
    const { weights } = await ridge({ rows, numbers }, { ...options, start: new Float64Array(6) });
    expect(passes).toBeGreaterThan(2);
    expect(passes).toBeLessThan(20);
    const again = await ridge({ rows, numbers }, { ...options, iterations: 0, start: weights });
    expect(again.weights).toEqual(weights);
  });
});

describe('learnVectorizer', () => {
  it('gives rows of length 1 over words and pairs of neighbours', () => {
    const { features, rows } = learnVectorizer(['the cat sleeps', 'the dog']);
    // the, cat, sleeps, dog; | the, the cat, cat sleeps, sleeps |, the dog, dog |
    expect(features).toBe(10);
    const { offsets, values } = rows(['The cat!', 'unseen words', 'the the cat']);
    expect([...offsets]).toEqual([0, 4, 4, 8]);
    expect(Math.hypot(...values.slice(0, 4))).toBeCloseTo(1, 12);
    expect(Math.hypot(...values.slice(4))).toBeCloseTo(1, 12);
  });

  it('tells the words of a second text from those of the first', () => {
    const { features, rows } = learnVectorizer([{ text: 'cat', pair: 'dog' }, 'dog']);
    // cat, | cat, cat |, the same of the second dog, the same of the first.
    expect(features).toBe(9);
    const { columns } = rows([{ text: 'dog', pair: 'dog' }]);
    expect(new Set(columns).size).toBe(6);
  });

  it('gives rare words more weight than common ones', () => {
    const { rows } = learnVectorizer(['the cat', 'the dog', 'the cow']);
    const { columns, values } = rows(['the cat']);
    const byColumn = new Map([...columns].map((column, i) => [column, values[i] ?? 0]));
    // Columns are numbered as terms are first met: the, | the, cat.
    expect(byColumn.get(2)).toBeGreaterThan(byColumn.get(0) ?? 0);
  });
});

describe('trainLogistic', () => {
  const examples = made((i) => [`${['red', 'green', 'blue'][i % 3]} thing ${i}`, i % 3]);
  const vectorizer = learnVectorizer(examples.train.map(({ text }) => text));
  const rows = vectorizer.rows(examples.train.map(({ text }) => text));
  const labels = Int32Array.from(examples.train, labelOf);
  const scoresAt = async (penalty: number, words: readonly string[]) => {
    const weights = new DenseWeights(vectorizer.features, 3);
    const score = await trainLogistic({ rows, labels }, weights, { penalty, epochs: 5 }, async () => undefined);
    const asked = vectorizer.rows(words);
    const scores = new Float64Array(3 * words.length);
    for (const row of words.keys()) score(asked, row, scores.subarray(3 * row, 3 * row + 3));
    return scores;
  };

  it('scores the class that a word stands for highest', async () => {
    const scores = await scoresAt(1e-4, ['red', 'green', 'blue']);
    for (const row of [0, 1, 2]) {
      const own = [...scores.slice(row * 3, row * 3 + 3)];
      expect(own.indexOf(Math.max(...own))).toBe(row);
    }
  });

  it('keeps weights smaller under a stronger penalty', async () => {
    const spread = (scores: Float64Array) => Math.max(...scores) - Math.min(...scores);
    expect(spread(await scoresAt(1e-2, ['red']))).toBeLessThan(spread(await scoresAt(1e-4, ['red'])) * 0.8);
  });
});

describe('the baseline stage', () => {
  it('learns what words tell, and reports how often the commonest class is right', async () => {
    using space = workspace();
    // Half of the texts are of class a, the others of b and c; one word tells.
    const classOf = (i: number): number => [0, 1, 0, 2][i % 4] ?? 0;
    const dataset = made((i) => [`filler ${i % 7} ${['red', 'green', 'blue'][classOf(i)]} ${i % 5}`, classOf(i)]);
    expect(await run(space, dataset)).toMatchObject({ majority: { score: 0.5 }, linear: { score: 1 } });
  });

  it('learns what only pairs of words tell', async () => {
    using space = workspace();
    const dataset = made((i) => {
      const [one, two] = [i % 2, (i >> 1) % 2];
      return [`x${i % 5} ${one ? 'very' : 'not'} ${two ? 'good' : 'bad'} y${i % 3}`, one ^ two];
    });
    expect((await run(space, dataset)).linear.score).toBe(1);
  });

  it('writes the scores that its accuracy comes from', async () => {
    using space = workspace();
    const dataset = made((i) => [`${['red', 'green', 'blue'][i % 3]} ${i}`, i % 3]);
    const { linear } = await run(space, dataset);
    const { ids, targets, rows, split } = await readPredictions((file) => space.path('out/predictions', file));
    expect([split, rows.width, ids[0], rows.data.length]).toEqual(['test', 3, 2000, 180]);
    const labels = [...(targets?.data ?? [])];
    const right = labels.filter((label, i) => {
      const own = rowOf(rows, i);
      return own.indexOf(Math.max(...own)) === label;
    });
    expect(right.length / labels.length).toBe(linear.score);
  });

  it('makes what it made before, unless its version says otherwise', async () => {
    using space = workspace();
    await run(
      space,
      made((i) => [`${['red', 'green', 'blue'][i % 3]} ${i % 11} text ${i % 7}`, i % 3]),
    );
    const { artifact } = await artifactOf(space.path('out/predictions'), 'predictions');
    // Other bytes under the same version would leave stale cache entries in use: raise `version`, then run with -u.
    const golden = `../golden/baseline-version-${baseline.version}.txt`;
    const lines = Object.entries(artifact.files).map(([file, { digest }]) => `${file} ${digest}\n`);
    await expect(lines.sort().join('')).toMatchFileSnapshot(golden);
  });

  it('tells thousands of classes apart with weights for what training has, in bounded memory', async () => {
    using space = workspace();
    const classes = Array.from({ length: 3000 }, (_, i) => `c${i}`);
    // One word of its own a class, one that ten share, one that all have.
    const make = (i: number): readonly [string, number] => {
      const label = i % 3000;
      return [`the w${label} of g${label % 300} x${(i * 7919) % 9001}`, label];
    };
    const dataset = { ...made(make), classes, train: texts(9000, 0, make), test: texts(3000, 20_000, make) };
    const before = process.memoryUsage();
    const metrics = await baseline.run(
      { dataset: await datasetArtifact(space, dataset) },
      {},
      contextIn(space.path('out')),
    );
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    // Weights for all pairs of term and class would be 3,000 x 40,000 floats: 480 MB.
    expect(heapUsed + arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(300e6);
    expect(metrics.linear).toMatchObject({ weights: 'seen', texts: 9000 });
    expect(accuracies.parse(metrics).linear.score).toBeGreaterThan(0.99);
    const { rows } = await readPredictions((file) => space.path('out/predictions', file));
    expect([rows.width, rows.data.length, rows.kept?.length]).toEqual([3000, 32 * 3000, 32 * 3000]);
  });

  it('says with the weights that training has what it says with all of them', async () => {
    const examples = made((i) => [`${['red', 'green', 'blue'][i % 3]} thing ${i % 50} of ${i % 7}`, i % 3]);
    const vectorizer = learnVectorizer(examples.train);
    const rows = vectorizer.rows(examples.train);
    const labels = Int32Array.from(examples.train, labelOf);
    const postings = postingsOf({ rows, labels }, vectorizer.features, 3);
    const scorers = await Promise.all(
      [new DenseWeights(vectorizer.features, 3), new SparseWeights(postings, 3)].map((weights) =>
        trainLogistic({ rows, labels }, weights, { penalty: 1e-4, epochs: 5 }, async () => undefined),
      ),
    );
    const asked = vectorizer.rows(examples.test);
    const [all, seen] = scorers.map((score) =>
      examples.test.map((_, row) => {
        const scores = new Float64Array(3);
        score(asked, row, scores);
        return scores.indexOf(Math.max(...scores));
      }),
    );
    expect(seen).toEqual(all);
    expect(seen).toEqual(examples.test.map(labelOf));
  });

  it.each([
    [8000, 26, true],
    [9000, 3000, false],
  ])('of %i texts in %i classes has a bound in work, not in time', (count, classes, dense) => {
    const rows = {
      offsets: new Int32Array(count + 1),
      columns: new Int32Array(20 * count),
      values: new Float64Array(),
    };
    expect(fitsDense({ rows, labels: new Int32Array(count) }, 100_000, classes)).toBe(dense);
  });

  it('stops when it is told to', async () => {
    using space = workspace();
    const dataset = made((i) => [`word ${i}`, i % 3]);
    const signal = AbortSignal.abort(new Error('interrupted'));
    await expect(run(space, dataset, { signal })).rejects.toThrow('interrupted');
  });

  it('is a strong one: above 72.5 % on WordNet supersenses with 8,000 labels, twice the same', async () => {
    using space = workspace();
    const { dataset } = await load({ uses: 'wordnet-supersense', labelled: 8000 }, root);
    const first = await run(space, { ...dataset, unlabelled: [] });
    expect(first.linear.score).toBeGreaterThan(0.725);
    expect(first.majority.score).toBeCloseTo(0.142, 3);
    expect(await run(space, { ...dataset, unlabelled: [] })).toEqual(first);
  });
});
