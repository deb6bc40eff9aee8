import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Targets } from '../../data/answer-targets.ts';
import type { Rows } from '../../data/rows.ts';
import { logitOf, probabilityOf, saidOf } from '../../data/sets.ts';
import { fitThresholds } from '../../engine/thresholds.ts';
import { f1Of } from '../../ground/metrics/sets.ts';

const rowsOf = (logits: readonly number[], width: number): Rows => ({
  ...{ width, columns: width, data: Float32Array.from(logits) },
  unread: new Uint8Array(logits.length / width),
});

/** F1 of one class at a threshold. */
const f1At = (logits: readonly number[], has: readonly number[], threshold: number): number => {
  const said = saidOf(Float32Array.from(logits), Array(logits.length).fill(threshold));
  const sum = (values: ArrayLike<number>) => Float64Array.of(Array.from(values).reduce((a, b) => a + b, 0));
  return f1Of({ said: sum(said), true: sum(has), hits: sum(said.map((claim, i) => claim * (has[i] ?? 0))) }).macro;
};

const oneClass = fc.array(fc.tuple(fc.integer({ min: -12, max: 12 }), fc.integer({ min: 0, max: 1 })), {
  minLength: 1,
  maxLength: 30,
});

describe('thresholds of classes', () => {
  it('have the best F1 that any threshold has', () => {
    fc.assert(
      fc.property(oneClass, (texts) => {
        const logits = texts.map(([logit]) => logit / 2);
        const has = texts.map(([, one]) => one);
        const [threshold = Number.NaN] = fitThresholds(rowsOf(logits, 1), { width: 1, data: Int32Array.from(has) });
        const mine = f1At(logits, has, threshold);
        for (const candidate of logits) {
          expect(mine).toBeGreaterThanOrEqual(f1At(logits, has, probabilityOf(candidate - 0.25)) - 1e-12);
        }
        expect(threshold > 0 && threshold < 1).toBe(true);
      }),
    );
  });

  it('are one half where no other is better, and where no text has the class', () => {
    const targets: Targets = { width: 3, data: Int32Array.from([1, 0, 1, 1, 0, 0, 0, 0, 1]) };
    const [sure, never, low] = fitThresholds(rowsOf([2, -1, -1, 3, 4, -6, -3, 1, -2], 3), targets);
    expect([sure, never]).toEqual([0.5, 0.5]);
    expect(logitOf(low ?? 0)).toBeCloseTo(-4, 5);
  });

  it('heed neither texts that nothing is known of nor answers that were never given', () => {
    const targets: Targets = { width: 1, data: Int32Array.from([1, 0, -1, 0]) };
    const rows = rowsOf([-1, -3, -2, 5], 1);
    const read = { ...rows, unread: Uint8Array.of(0, 0, 0, 1) };
    expect(logitOf(fitThresholds(read, targets)[0] ?? 0)).toBeCloseTo(-2, 5);
  });
});
