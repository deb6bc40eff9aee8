import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Targets } from '../../data/answer-targets.ts';
import type { Rows } from '../../data/rows.ts';
import { logitOf, saidOf } from '../../data/sets.ts';
import { fitThresholds } from '../../engine/thresholds.ts';
import { microF1Of } from '../../ground/metrics/sets.ts';

const rowsOf = (logits: readonly number[], width: number): Rows => ({
  ...{ width, columns: width, data: Float32Array.from(logits) },
  unread: new Uint8Array(logits.length / width),
});

const WIDTH = 2;

/** Micro F1 where each class is said above a logit of its own. */
const microAt = (logits: readonly number[], truth: readonly number[], cuts: readonly number[]): number => {
  const said = logits.map((logit, at) => Number(logit > (cuts[at % WIDTH] ?? 0)));
  return microF1Of({ count: logits.length / WIDTH, columns: { said, truth } });
};

const oneText = fc.tuple(
  ...[fc.integer({ min: -6, max: 6 }), fc.integer({ min: -6, max: 6 })],
  ...[fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 1 })],
);

describe('thresholds of classes', () => {
  it('have the best micro F1 that any thresholds have', () => {
    fc.assert(
      fc.property(fc.array(oneText, { minLength: 1, maxLength: 20 }), (texts) => {
        const logits = texts.flatMap(([one, other]) => [one, other].map(Number));
        const truth = texts.flatMap(([, , ...both]) => both);
        // A class that no text has keeps one half, whatever that costs.
        fc.pre([0, 1].every((c) => truth.some((has, at) => at % WIDTH === c && has === 1)));
        const thresholds = fitThresholds(rowsOf(logits, WIDTH), { width: WIDTH, data: Int32Array.from(truth) });
        const mine = microAt(logits, truth, thresholds.map(logitOf));
        for (let first = -6.5; first < 7; first++) {
          for (let second = -6.5; second < 7; second++) {
            expect(mine).toBeGreaterThanOrEqual(microAt(logits, truth, [first, second]) - 1e-12);
          }
        }
      }),
    );
  });

  it('are one half where no other is better, and where no text has the class', () => {
    const targets: Targets = { width: 3, data: Int32Array.from([1, 0, 1, 1, 0, 0, 0, 0, 1]) };
    const [sure, never, low] = fitThresholds(rowsOf([2, -1, -1, 3, 4, -6, -3, 1, -2], 3), targets);
    expect([sure, never]).toEqual([0.5, 0.5]);
    expect(logitOf(low ?? 0)).toBeCloseTo(-4, 5);
  });

  it('say nothing of a class that costs more than it brings', () => {
    const truth = [...Array.from({ length: 20 }, () => [1, 0]).flat(), 0, 1];
    const logits = [...Array.from({ length: 20 }, () => [3, 2]).flat(), -3, 1];
    const [good, bad] = fitThresholds(rowsOf(logits, 2), { width: 2, data: Int32Array.from(truth) });
    expect(good).toBe(0.5);
    expect([...saidOf(Float32Array.of(0, 2), [0.5, bad ?? 0])]).toEqual([0, 0]);
  });

  it('heed neither texts that nothing is known of nor answers that were never given', () => {
    const targets: Targets = { width: 1, data: Int32Array.from([1, 0, -1, 0]) };
    const read = { ...rowsOf([-1, -3, -2, 5], 1), unread: Uint8Array.of(0, 0, 0, 1) };
    expect(logitOf(fitThresholds(read, targets)[0] ?? 0)).toBeCloseTo(-2, 5);
  });
});
