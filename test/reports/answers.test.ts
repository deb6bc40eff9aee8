import { describe, expect, it } from 'vitest';
import { choices } from '../../data/evidence.ts';
import { dataTask } from '../../ground/tasks.ts';
import { answersReport } from '../../reports/answers.ts';
import { averagesOf } from '../../reports/classification.ts';
import { matrixOf, mostConfused } from '../../reports/confusion.ts';

/** Logits of a class that is believed with a probability, the others alike. */
const row = (said: number, p: number): readonly number[] =>
  [0, 1, 2].map((c) => Math.log(c === said ? p : (1 - p) / 2));

const answers = [
  [0, 0, 0.91],
  [0, 1, 0.81],
  [1, 1, 0.95],
  [2, 0, 0.99],
  [2, 2, 0.55],
] as const;

const judged = {
  ...choices({
    classes: 3,
    labels: Int32Array.from(answers, ([label]) => label),
    logits: Float32Array.from(answers.flatMap(([, said, p]) => row(said, p))),
    unread: Uint8Array.of(0, 0, 0, 0, 0),
  }),
  ...{ task: dataTask('text-classification'), ids: Int32Array.from(answers, (_, i) => 10 + i) },
  textOf: (id: number) => `text ${id}`,
};

describe('answers to texts', () => {
  const report = answersReport('int8', judged, ['a', 'b', 'c']);

  it('are counted by what is true and what was said', () => {
    const matrix = report === null ? null : matrixOf(report, ['a', 'b', 'c']);
    expect(matrix?.counts).toEqual([
      [1, 1, 0],
      [0, 1, 0],
      [1, 0, 1],
    ]);
    const few = report === null ? null : matrixOf(report, ['a', 'b', 'c'], 2);
    expect(few).toEqual({
      classes: ['a', '2 others'],
      counts: [
        [1, 1],
        [1, 2],
      ],
    });
    expect(report === null ? [] : mostConfused(report, 9).length).toBe(2);
  });

  it('that are wrong are told by how sure the model was', () => {
    expect(
      report?.mistakes.map(({ id, label, said, confidence }) => [id, label, said, confidence?.toFixed(2)]),
    ).toEqual([
      [13, 'c', 'a', '0.99'],
      [11, 'a', 'b', '0.81'],
    ]);
  });

  it('are as often right as their bin says', () => {
    const bins = report?.reliability.map(({ low, count, right }) => [low, count, right]);
    expect(bins).toEqual([
      [0.5, 1, 1],
      [0.8, 1, 0],
      [0.9, 3, 2 / 3],
    ]);
  });
});

describe('means of classes', () => {
  it('are those of scikit-learn: each class once, and each as often as it occurs', () => {
    const classes = [
      { label: 'a', support: 90, precision: 0.9, recall: 1, f1: 0.95, f1Interval: { low: 0, high: 1 } },
      { label: 'b', support: 10, precision: 0.5, recall: 0.2, f1: 0.3, f1Interval: { low: 0, high: 1 } },
    ];
    const [macro, weighted] = averagesOf(classes);
    expect([macro?.precision, macro?.recall, macro?.f1]).toEqual([0.7, 0.6, 0.625]);
    expect(weighted?.recall).toBeCloseTo(0.92, 12);
  });
});
