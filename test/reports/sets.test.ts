import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import {
  flippedSets,
  membersOf,
  type Sets,
  setAgreement,
  setClassDifferences,
  setClasses,
  setDivergence,
  wholeRight,
} from '../../data/statistics/sets.ts';
import { setMacroF1, subsetAccuracy } from '../../ground/metrics/index.ts';
import { figureOf } from '../../ground/metrics/metric.ts';

const CLASSES = 3;

/** Sets of texts with a class each at its own rate, said as a noisy model says them. */
const drawn = (texts: number, purpose: string, noise: number, truth?: ArrayLike<number>): Sets => {
  const random = stream(8, purpose);
  const size = texts * CLASSES;
  const rates = [0.5, 0.2, 0.05];
  const actual =
    truth ?? Float64Array.from({ length: size }, (_, at) => Number(random.uniform() < (rates[at % 3] ?? 0)));
  const logits = Float32Array.from(
    { length: size },
    (_, at) => 3 * (2 * (actual[at] ?? 0) - 1) + noise * random.normal(),
  );
  return { classes: CLASSES, logits, truth: actual, said: logits.map((logit) => Number(logit > 0)) };
};

describe('figures of sets', () => {
  it('are those of the classes one by one, and their mean is macro F1', () => {
    const sets = drawn(400, 'one', 3);
    const classes = setClasses(sets);
    const judged = { count: 400, columns: { said: sets.said, truth: sets.truth } };
    const mean = classes.reduce((sum, { f1 }) => sum + f1 / CLASSES, 0);
    expect(mean).toBeCloseTo(figureOf(setMacroF1, judged), 12);
    classes.forEach(({ support, precision, recall, f1 }, c) => {
      const column = (values: ArrayLike<number>) => Array.from(values).filter((_, at) => at % CLASSES === c);
      const [said, truth] = [column(sets.said), column(sets.truth)];
      const hits = said.filter((claim, i) => claim === 1 && truth[i] === 1).length;
      const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
      expect(support).toBe(sum(truth));
      expect(precision).toBeCloseTo(hits / sum(said), 12);
      expect(recall).toBeCloseTo(hits / sum(truth), 12);
      expect(f1).toBeCloseTo((2 * hits) / (sum(said) + sum(truth)), 12);
    });
    const right = wholeRight(sets).reduce((a, b) => a + b, 0) / 400;
    expect(right).toBeCloseTo(figureOf(subsetAccuracy, judged), 12);
  });

  /** 60 repetitions of 95 in 100: fewer than 50 would come by chance in one of ten thousand. */
  it('have intervals that mostly hold the true difference of a class', () => {
    let held = 0;
    const REPETITIONS = 60;
    for (let i = 0; i < REPETITIONS; i++) {
      const one = drawn(300, `mine ${i}`, 3);
      const other = drawn(300, `theirs ${i}`, 3, one.truth);
      const difference = setClassDifferences(one, other).get(0);
      held += Number(difference !== undefined && difference.low <= 0 && difference.high >= 0);
    }
    expect(held).toBeGreaterThanOrEqual(50);
  });

  it('tell a model that is clearly worse at a class, and nothing of a class that no text has', () => {
    const good = drawn(400, 'good', 1);
    const none = { ...good, said: Float64Array.from(good.said, (said, at) => (at % CLASSES === 1 ? 0 : said)) };
    const differences = setClassDifferences(none, good);
    expect(differences.get(1)?.high).toBeLessThan(0);
    expect(differences.get(0)).toMatchObject({ estimate: 0, low: 0, high: 0 });
    const without = Float64Array.from(good.truth, (has, at) => (at % CLASSES === 2 ? 0 : has));
    expect([...setClassDifferences({ ...none, truth: without }, { ...good, truth: without }).keys()]).toEqual([0, 1]);
  });

  it('agree with themselves wholly, and name texts whose sets changed', () => {
    const [one, other] = [drawn(50, 'a', 2), drawn(50, 'b', 4, drawn(50, 'a', 2).truth)];
    expect([setAgreement(one, one), setDivergence(one, one)]).toEqual([1, 0]);
    expect(setDivergence(one, other)).toBeGreaterThan(0.1);
    const changed = flippedSets(one, other);
    const [right, was] = [wholeRight(one), wholeRight(other)];
    expect(changed.length).toBe(right.filter((value, text) => value !== was[text]).length);
    for (const { text, gained } of changed) expect(right[text]).toBe(Number(gained));
    expect(changed.map(({ margin }) => margin)).toEqual(changed.map(({ margin }) => margin).toSorted((a, b) => b - a));
    const first = membersOf(one, one.truth, 0);
    expect(first).toEqual([0, 1, 2].filter((c) => one.truth[c] === 1));
  });
});
