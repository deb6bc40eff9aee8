import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import {
  accuracy,
  agreement,
  crossEntropy,
  divergence,
  macroF1,
  medianRatio,
  pairedDifference,
  quantile,
  type Scored,
} from '../../reports/statistics.ts';

/** Logits whose softmax gives exactly these probabilities. */
const scored = (labels: readonly number[], probabilities: readonly (readonly number[])[]): Scored => ({
  classes: probabilities[0]?.length ?? 0,
  labels: Int32Array.from(labels),
  logits: Float32Array.from(probabilities.flat(), Math.log),
});

/** Hard predictions, for statistics that only look at the class. */
const choosing = (labels: readonly number[], choices: readonly number[]): Scored =>
  scored(
    labels,
    choices.map((choice) => [0, 1, 2].map((c) => (c === choice ? 0.8 : 0.1))),
  );

/** Logits are float32. */
const FLOAT32_DIGITS = 6;

describe('metrics of one model', () => {
  it('counts right answers and scores the true class in nats', () => {
    const model = scored(
      [0, 1],
      [
        [0.75, 0.25],
        [0.5, 0.5],
      ],
    );
    expect(accuracy(model)).toBe(0.5);
    expect(crossEntropy(model)).toBeCloseTo((-Math.log(0.75) - Math.log(0.5)) / 2, FLOAT32_DIGITS);
  });

  it('averages F1 over the classes that occur', () => {
    // class 0: precision 1/2, recall 1; class 1: precision 1, recall 1/2; class 2 never occurs
    expect(macroF1(choosing([0, 1, 1], [0, 0, 1]))).toBeCloseTo((2 / 3 + 2 / 3) / 2, 12);
  });

  it('is not moved by a constant added to all logits of an example', () => {
    const model = scored(
      [0, 1],
      [
        [0.75, 0.25],
        [0.5, 0.5],
      ],
    );
    const shifted = { ...model, logits: model.logits.map((x) => x + 50) };
    expect(crossEntropy(shifted)).toBeCloseTo(crossEntropy(model), 4);
  });
});

describe('metrics of a pair', () => {
  it('gives zero divergence and full agreement of a model with itself', () => {
    const model = scored(
      [0, 1],
      [
        [0.75, 0.25],
        [0.4, 0.6],
      ],
    );
    expect(divergence(model, model)).toBe(0);
    expect(agreement(model, model)).toBe(1);
  });

  it('computes KL(reference || model), which is not symmetric', () => {
    const reference = scored([0], [[0.75, 0.25]]);
    const model = scored([0], [[0.5, 0.5]]);
    const expected = 0.75 * Math.log(0.75 / 0.5) + 0.25 * Math.log(0.25 / 0.5);
    expect(divergence(reference, model)).toBeCloseTo(expected, FLOAT32_DIGITS);
    expect(divergence(model, reference)).not.toBeCloseTo(expected, 3);
  });

  it('covers the true paired difference in 93 to 97 % of simulated samples', () => {
    const random = stream(7, 'coverage');
    const [bothRight, gained, lost] = [0.7, 0.1, 0.06];
    let covered = 0;
    const samples = 2000;
    for (let s = 0; s < samples; s++) {
      const labels = new Array<number>(300).fill(0);
      const [mine, theirs]: [number[], number[]] = [[], []];
      for (const _ of labels) {
        const u = random.uniform();
        mine.push(u < bothRight + gained ? 0 : 1);
        theirs.push(u < bothRight || (u >= bothRight + gained && u < bothRight + gained + lost) ? 0 : 1);
      }
      const { low, high } = pairedDifference(choosing(labels, mine), choosing(labels, theirs));
      if (low <= gained - lost && gained - lost <= high) covered++;
    }
    expect(covered / samples).toBeGreaterThan(0.93);
    expect(covered / samples).toBeLessThan(0.97);
  });

  it('reports the plain difference as the estimate', () => {
    expect(pairedDifference(choosing([0, 0, 0, 0], [0, 0, 0, 1]), choosing([0, 0, 0, 0], [0, 1, 1, 0])).estimate).toBe(
      0.25,
    );
  });
});

describe('latency statistics', () => {
  it('interpolates quantiles', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([1, 2, 3, 4], 1)).toBe(4);
  });

  it('takes the ratio round by round, so that a machine that halves its speed does not show', () => {
    expect(medianRatio([10, 20, 10], [5, 10, 5])).toBe(2);
  });
});
