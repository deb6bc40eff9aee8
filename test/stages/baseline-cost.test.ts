import { describe, expect, it } from 'vitest';
import type { Dataset, Example } from '../../data/dataset.ts';
import { type BaselineMetrics, baselineMetrics } from '../../ground/reported/data.ts';
import { answerTime } from '../../stages/baseline/answer-time.ts';
import { learnVectorizer } from '../../stages/baseline/features.ts';
import { baseline } from '../../stages/baseline/index.ts';
import { postingsOf, sparseBytes } from '../../stages/baseline/sparse.ts';
import { workspace } from '../rig/workspace.ts';
import { contextIn } from './stage-rig.ts';
import { datasetArtifact } from './training-rig.ts';

type Make = (i: number) => Pick<Example, 'text' | 'target'>;

const examples = (count: number, first: number, make: Make): Example[] =>
  Array.from({ length: count }, (_, i) => ({ id: first + i, ...make(first + i) }));

const made = (task: Dataset['task'], classes: readonly string[], make: Make): Dataset => ({
  ...{ task, classes, maxLength: 16, unlabelled: [] },
  train: examples(120, 0, make),
  validation: examples(30, 300, make),
  test: examples(30, 600, make),
});

const ran = async (dataset: Dataset): Promise<BaselineMetrics> => {
  using space = workspace();
  const inputs = { dataset: await datasetArtifact(space, dataset) };
  return baselineMetrics.parse(await baseline.run(inputs, {}, contextIn(space.path('out'))));
};

const WORDS = ['rot', 'grün', 'blau'];

/** One word a text: the word, and its pairs with both edges. */
const oneWord =
  (target: (i: number) => NonNullable<Example['target']>): Make =>
  (i) => ({
    text: WORDS[i % 3] ?? '',
    target: target(i),
  });

/** rot 3 + 5 + 5, grün 5 + 7 + 7 (ü takes two), blau 4 + 6 + 6; and how rare each of the nine is. */
const TERMS = 13 + 19 + 16 + 4 * 9;

/** Of nine terms and a constant. */
const weightsOf = (outputs: number): number => 4 * 10 * outputs;

const time = { msPerText: expect.any(Number), waited: expect.any(Number) };

describe('what a baseline costs', () => {
  it.each([
    {
      dataset: made(
        'text-classification',
        ['a', 'b', 'c'],
        oneWord((i) => i % 3),
      ),
      same: { majority: 4 },
      reading: { linear: TERMS + weightsOf(3) },
    },
    {
      // Two of three texts have two classes: b, and a or c.
      dataset: made(
        'multi-label',
        ['a', 'b', 'c', 'd'],
        oneWord((i) => (i % 3 === 2 ? [0] : [1, 2])),
      ),
      same: { majority: 8 },
      reading: { linear: TERMS + weightsOf(4) },
    },
    {
      dataset: made(
        'score',
        [],
        oneWord((i) => i % 3),
      ),
      same: { mean: 4 },
      reading: { ridge: TERMS + weightsOf(1) },
    },
    {
      dataset: made('token-classification', ['n', 'v'], (i) => ({ text: `der ${WORDS[i % 3]}`, target: [0, 1] })),
      same: { majority: 4 },
      // der, rot, grün, blau, a class each, and that of all other words.
      reading: { lexicon: 3 + 3 + 5 + 4 + 4 * 4 + 4 },
    },
  ])('is told of $dataset.task: bytes of all, and the time of what reads', async ({ dataset, same, reading }) => {
    const metrics = await ran(dataset);
    for (const [name, bytes] of Object.entries({ ...same, ...reading })) {
      expect([name, metrics[name]?.bytes]).toEqual([name, bytes]);
    }
    for (const name of Object.keys(same)) expect(metrics[name]).not.toHaveProperty('msPerText');
    for (const name of Object.keys(reading)) {
      expect(metrics[name]).toMatchObject(time);
      expect(metrics[name]?.msPerText).toBeGreaterThan(0);
    }
  });

  it('keeps the most frequent set, by which its answers are known', async () => {
    const dataset = made(
      'multi-label',
      ['a', 'b', 'c', 'd'],
      oneWord((i) => (i % 3 === 2 ? [0] : [1, 2])),
    );
    expect((await ran(dataset)).majority?.always).toEqual([1, 2]);
  });

  it('is a weight and a class for each pair that training has, where not all are kept', () => {
    const { rows, features } = learnVectorizer(['a', 'a', 'b']);
    const training = { rows: rows(['a', 'a', 'b']), labels: Int32Array.of(0, 1, 2) };
    // a, its two pairs with edges, and the same of b: three terms of two classes, three of one.
    expect(features).toBe(6);
    expect(sparseBytes(postingsOf(training, features, 3), 3)).toBe(8 * 9 + 4 * 6 + 4 * 3);
  });

  it('is a number in place of the name where terms are hashed', () => {
    const many = Array.from({ length: 60 }, (_, i) => `w${i}`).join(' ');
    const { features, bytes, rows } = learnVectorizer([many], 100);
    // Of 121 terms that share 100 columns, about 70 are met.
    expect([features > 50, features < 100]).toEqual([true, true]);
    expect(bytes).toBe(8 * features);
    expect(rows([many]).columns.length).toBe(121);
    expect(learnVectorizer([many], 121).bytes).toBeGreaterThan(8 * 121);
  });

  it('is the time of one text, the middle one, each of which is answered alone', async () => {
    const seen = new Set<string>();
    const answer = ({ text }: Pick<Example, 'text'>) => {
      seen.add(text);
      return text.split(' ').map((word) => word.toUpperCase());
    };
    const texts = (words: readonly number[]): Example[] =>
      words.map((count, id) => ({ id, text: 'word '.repeat(count), target: 0 }));
    const short = await answerTime(texts([1, 2, 3, 20_000]), answer);
    expect(seen.size).toBe(4);
    const long = await answerTime(texts([20_000, 20_001, 20_002, 1]), answer);
    // Ten thousand times the words: no load of a machine makes that as quick.
    expect(long.msPerText ?? 0).toBeGreaterThan(10 * (short.msPerText ?? Number.POSITIVE_INFINITY));
    expect(await answerTime([], answer)).toEqual({});
  });
});
