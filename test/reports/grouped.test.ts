import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { classReport } from '../../data/statistics/classes.ts';
import { effectiveExamples, groupedMean } from '../../data/statistics/grouped.ts';
import { differenceEffect, pairedDifference, rateInterval } from '../../data/statistics/pairs.ts';
import type { Scored } from '../../data/statistics/scored.ts';

const WORDS = 20;

/** Words of sentences in which mistakes come together: a hard sentence has them all over. */
const sentences = (count: number, purpose: string): { right: Uint8Array; groups: Int32Array } => {
  const random = stream(5, 'sentences', purpose);
  const rates = Array.from({ length: count }, () => (random.uniform() < 0.2 ? 0.5 : 0.95));
  const groups = Int32Array.from({ length: count * WORDS }, (_, i) => Math.floor(i / WORDS));
  return { right: Uint8Array.from(groups, (group) => Number(random.uniform() < (rates[group] ?? 0))), groups };
};

const scoredOf = (right: Uint8Array, groups?: Int32Array): Scored => ({
  classes: 2,
  labels: new Int32Array(right.length),
  logits: Float32Array.from({ length: 2 * right.length }, (_, i) => (i % 2 === 0 ? 0 : right[i >> 1] === 1 ? -1 : 1)),
  ...(groups === undefined ? {} : { groups }),
});

describe('a mean over words of sentences', () => {
  it('has the error that a bootstrap over sentences finds', () => {
    const { right, groups } = sentences(300, 'bootstrap');
    const random = stream(6, 'resample');
    const means = Array.from({ length: 2000 }, () => {
      let sum = 0;
      for (let k = 0; k < 300; k++) {
        const at = random.integer(300) * WORDS;
        for (let w = 0; w < WORDS; w++) sum += right[at + w] ?? 0;
      }
      return sum / (300 * WORDS);
    });
    const centre = means.reduce((a, b) => a + b, 0) / means.length;
    const deviation = Math.sqrt(means.reduce((sum, x) => sum + (x - centre) ** 2, 0) / means.length);
    // 2,000 resamples know a deviation to some per cent.
    expect(groupedMean(right, groups).error / deviation).toBeCloseTo(1, 1);
  });

  it('is worth fewer examples than there are words, and as many where words are alone', () => {
    const { right, groups } = sentences(500, 'effective');
    expect(effectiveExamples(right, groups)).toBeLessThan(0.5 * right.length);
    expect(effectiveExamples(right, undefined)).toBe(right.length);
    expect(effectiveExamples(right.fill(1), groups)).toBe(500);
  });

  it('knows nothing of one sentence', () => {
    expect(groupedMean([1, 0, 1], [4, 4, 4]).error).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('scores of classes over words', () => {
  /** Three classes; the words of a sentence that goes wrong are all taken for the next class. */
  const tagged = (count: number, purpose: string): Scored => {
    const random = stream(8, 'tags', purpose);
    const wrong = Array.from({ length: count }, () => random.uniform() < 0.2);
    const groups = Int32Array.from({ length: count * WORDS }, (_, i) => Math.floor(i / WORDS));
    const labels = groups.map(() => random.integer(3));
    const logits = new Float32Array(3 * labels.length);
    labels.forEach((label, i) => {
      logits[3 * i + ((label + Number(wrong[groups[i] ?? 0])) % 3)] = 1;
    });
    return { classes: 3, labels, logits, groups };
  };
  const width = ({ low, high }: { low: number; high: number }): number => high - low;

  it('have intervals that hold the true score in 92 to 98 % of simulated splits, where words alone would promise too much', () => {
    const runs = 200;
    let [grouped, alone] = [0, 0];
    for (let run = 0; run < runs; run++) {
      const { groups: _, ...words } = tagged(60, `run ${run}`);
      const holds = ({ macroF1Interval: { low, high } }: ReturnType<typeof classReport>): number =>
        Number(low <= 0.8 && high >= 0.8);
      grouped += holds(classReport(tagged(60, `run ${run}`)));
      alone += holds(classReport(words));
    }
    expect(grouped / runs).toBeGreaterThan(0.92);
    expect(grouped / runs).toBeLessThan(0.98);
    expect(alone / runs).toBeLessThan(0.7);
  });

  it('are known no better by words alone, and not at all of one sentence', () => {
    const all = tagged(60, 'one split');
    const own = Int32Array.from(all.labels.keys());
    const { groups: _, ...words } = all;
    const [single, apart] = [classReport({ ...all, groups: own }), classReport(words)];
    expect(width(single.macroF1Interval) / width(apart.macroF1Interval)).toBeCloseTo(1, 1);
    expect(single.macroF1).toBe(apart.macroF1);
    const one = classReport({ ...all, groups: own.fill(4) });
    expect([one.macroF1Interval, one.classes[0]?.f1Interval]).toEqual([
      { low: 0, high: 1 },
      { low: 0, high: 1 },
    ]);
  });
});

describe('a difference of accuracy over words', () => {
  it('covers the true difference in 93 to 97 % of simulated test splits, where words alone would promise too much', () => {
    const runs = 400;
    let [grouped, alone] = [0, 0];
    for (let run = 0; run < runs; run++) {
      // Two models of equal accuracy whose mistakes come in sentences of their own.
      const { right: mine, groups } = sentences(120, `mine ${run}`);
      const { right: theirs } = sentences(120, `theirs ${run}`);
      const holds = ({ low, high }: { low: number; high: number }): number => Number(low <= 0 && high >= 0);
      grouped += holds(pairedDifference(scoredOf(mine, groups), scoredOf(theirs, groups)));
      alone += holds(pairedDifference(scoredOf(mine), scoredOf(theirs)));
    }
    expect(grouped / runs).toBeGreaterThan(0.93);
    expect(grouped / runs).toBeLessThan(0.97);
    expect(alone / runs).toBeLessThan(0.9);
  });

  it('is near that of independent examples where every sentence has one word', () => {
    const { right: mine } = sentences(100, 'one');
    const { right: theirs } = sentences(100, 'two');
    const own = Int32Array.from(mine.keys());
    const [a, b] = [own, undefined].map((groups) =>
      rateInterval(differenceEffect(scoredOf(mine, groups), scoredOf(theirs, groups))),
    );
    expect(a?.estimate).toBe(b?.estimate);
    expect(a?.low).toBeCloseTo(b?.low ?? Number.NaN, 4);
  });
});
