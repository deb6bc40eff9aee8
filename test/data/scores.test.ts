import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blankScores, columnsFor, logSumExp, putScores, spreadScores } from '../../data/scores.ts';

const CLASSES = 300;
/** Sums of hundreds of float32 probabilities. */
const ROUNDING = 1e-4;

const logitsOf = fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: CLASSES, maxLength: CLASSES });

const kept = (logits: Float32Array, always?: number): Float32Array => {
  const scores = blankScores(3, CLASSES);
  putScores(scores, 1, logits, always);
  const row = new Float32Array(CLASSES);
  spreadScores(scores, 1, row);
  return row;
};

const sumOf = (logProbabilities: Float32Array): number => logProbabilities.reduce((sum, x) => sum + Math.exp(x), 0);

describe('scores over many classes', () => {
  it('keep the largest as log-probabilities, name the most probable class, and add up to 1', () => {
    fc.assert(
      fc.property(logitsOf, (given) => {
        const logits = Float32Array.from(given);
        const row = kept(logits);
        const total = logSumExp(logits);
        const ordered = [...logits.keys()].sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b);
        const columns = columnsFor(CLASSES);
        expect(row.indexOf(Math.max(...row))).toBe(ordered[0]);
        for (const c of ordered.slice(0, columns)) {
          expect(Math.abs((row[c] ?? 0) - ((logits[c] ?? 0) - total))).toBeLessThan(ROUNDING);
        }
        expect(Math.abs(sumOf(row) - 1)).toBeLessThan(ROUNDING);
      }),
      { numRuns: 50 },
    );
  });

  it('keep the true class, however improbable', () => {
    const logits = Float32Array.from({ length: CLASSES }, (_, c) => -c);
    expect(kept(logits, 250)[250]).toBeCloseTo(-250 - logSumExp(logits), 3);
  });

  it('are as probable as any other before anything is said', () => {
    const row = new Float32Array(CLASSES);
    spreadScores(blankScores(1, CLASSES), 0, row);
    expect(Math.abs(sumOf(row) - 1)).toBeLessThan(ROUNDING);
    expect(Math.max(...row) - Math.min(...row)).toBeLessThan(ROUNDING);
  });

  it('are logits as they are where there are few classes', () => {
    const scores = blankScores(2, 3);
    putScores(scores, 1, Float32Array.of(3, 1, 2));
    expect(scores).toEqual({ classes: 3, columns: 3, logits: Float32Array.of(0, 0, 0, 3, 1, 2) });
  });
});
