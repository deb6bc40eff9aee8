import { describe, expect, it } from 'vitest';
import { choices } from '../../data/evidence.ts';
import { stream } from '../../data/random.ts';
import { classDifferences, classReport } from '../../data/statistics/classes.ts';
import { flips } from '../../data/statistics/flips.ts';
import { wilson } from '../../data/statistics/intervals.ts';
import { mcnemar } from '../../data/statistics/mcnemar.ts';
import { agreement, divergence, expectPaired, pairedDifference } from '../../data/statistics/pairs.ts';
import { medianInterval, quantile } from '../../data/statistics/quantiles.ts';
import type { Scored } from '../../data/statistics/scored.ts';
import * as metrics from '../../ground/metrics/index.ts';
import { figureOf } from '../../ground/metrics/metric.ts';

const accuracy = (scored: Scored): number => figureOf(metrics.accuracy, choices(scored).judged);
const crossEntropy = (scored: Scored): number => figureOf(metrics.loss, choices(scored).judged);
const calibrationError = (scored: Scored): number => figureOf(metrics.calibrationError, choices(scored).judged);

const macroF1 = (scored: Scored): number => classReport(scored).macroF1;

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
});

/** What an outside oracle prints has more digits than this. */
const ORACLE_DIGITS = 9;

describe('intervals and tests of one and two models', () => {
  // statsmodels 0.14: proportion_confint(k, n, method='wilson')
  it.each([
    [15, 148, 0.06238639953073628, 0.16048724172330803],
    [0, 20, 0, 0.1611251580528194],
    [29, 29, 0.8830302015002592, 1],
    [81, 263, 0.2552885198782742, 0.3662095769828],
  ])('bounds %i of %i as Wilson does', (k, n, low, high) => {
    expect(wilson(k, n).low).toBeCloseTo(low, ORACLE_DIGITS);
    expect(wilson(k, n).high).toBeCloseTo(high, ORACLE_DIGITS);
  });

  it('knows nothing of no examples', () => expect(wilson(0, 0)).toEqual({ low: 0, high: 1 }));

  // (1, 7) is the airway example of Fagerland, Lydersen and Laake (2013), mid-p 0.039; all: twice scipy's binom.cdf less pmf
  it.each([
    [1, 7, 0.0390625],
    [59, 16, 3.8509778235297136e-7],
    [310, 359, 0.058272241030950224],
    [5, 5, 1],
    [0, 0, 1],
  ])('tests %i gained against %i lost by mid-p', (gained, lost, p) => {
    expect(mcnemar(gained, lost).p).toBeCloseTo(p, ORACLE_DIGITS);
    expect(mcnemar(lost, gained).p).toBeCloseTo(p, ORACLE_DIGITS);
  });

  it('weighs the gaps between confidence and accuracy by examples', () => {
    // Two bins: three at 0.9 of which two are right, one at 0.6 that is right.
    const model = scored(
      [0, 0, 1, 0],
      [
        [0.9, 0.1],
        [0.9, 0.1],
        [0.9, 0.1],
        [0.6, 0.4],
      ],
    );
    expect(calibrationError(model)).toBeCloseTo((3 * Math.abs(2 / 3 - 0.9) + Math.abs(1 - 0.6)) / 4, FLOAT32_DIGITS);
  });

  it('scores every class, and one that never occurs as nothing', () => {
    const { classes } = classReport(choosing([0, 1, 1], [0, 0, 1]));
    expect(classes[0]).toMatchObject({ support: 1, precision: 0.5, recall: 1 });
    expect(classes[1]).toMatchObject({ support: 2, precision: 1, recall: 0.5 });
    expect(classes[2]).toMatchObject({ support: 0, precision: 0, recall: 0, f1: 0 });
    for (const { f1, f1Interval } of classes) {
      expect(f1Interval.low).toBeLessThanOrEqual(f1);
      expect(f1Interval.high).toBeGreaterThanOrEqual(f1);
    }
  });

  it('compares within each class', () => {
    const differences = classDifferences(choosing([0, 0, 1, 1], [0, 0, 1, 0]), choosing([0, 0, 1, 1], [0, 1, 1, 1]));
    expect([...differences].map(([c, { estimate }]) => [c, estimate])).toEqual([
      [0, 0.5],
      [1, -0.5],
    ]);
  });

  it('finds what flipped, the clearest first', () => {
    const before = scored(
      [0, 0, 0],
      [
        [0.9, 0.1],
        [0.6, 0.4],
        [0.2, 0.8],
      ],
    );
    const now = scored(
      [0, 0, 0],
      [
        [0.4, 0.6],
        [0.1, 0.9],
        [0.7, 0.3],
      ],
    );
    const { lost, gained } = flips(now, before, 20);
    expect(lost.map(({ example }) => example)).toEqual([1, 0]);
    expect(lost[0]?.margin).toBeCloseTo(Math.log(0.6 / 0.1), FLOAT32_DIGITS);
    expect(gained).toMatchObject([{ example: 2, was: 1, now: 0 }]);
    expect(flips(now, before, 1).lost).toHaveLength(1);
  });

  it('refuses models that saw other examples', () => {
    expect(() => expectPaired(choosing([0, 1], [0, 1]), choosing([0, 0], [0, 1]))).toThrow('different examples');
  });
});

/** Share of simulated samples whose interval holds the truth. */
const coverage = (samples: number, holds: () => boolean): number => {
  let held = 0;
  for (let i = 0; i < samples; i++) held += Number(holds());
  return held / samples;
};

describe('simulated coverage at nominal 95 %', () => {
  it('is 93 to 97 % for accuracy', () => {
    const random = stream(3, 'wilson');
    const share = coverage(2000, () => {
      const n = 400;
      let right = 0;
      for (let i = 0; i < n; i++) right += Number(random.uniform() < 0.8);
      const { low, high } = wilson(right, n);
      return low <= 0.8 && 0.8 <= high;
    });
    expect(share).toBeGreaterThan(0.93);
    expect(share).toBeLessThan(0.97);
  });
});

describe('the interval of a median', () => {
  it('holds the extremes where there are few values', () => {
    expect(medianInterval([3, 1, 2])).toEqual({ low: 1, high: 3 });
    // scipy 1.16: of 25 values, ranks 8 and 18
    expect(medianInterval(Array.from({ length: 25 }, (_, i) => i + 1))).toEqual({ low: 8, high: 18 });
  });
});
