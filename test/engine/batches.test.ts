import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lengthBatches, paddingFraction, shuffledBatches } from '../../data/batches.ts';
import { stream } from '../../data/random.ts';

const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 300 });
const rowsOf = (batches: readonly { readonly rows: Int32Array }[]): number[] =>
  batches.flatMap(({ rows }) => [...rows]).sort((a, b) => a - b);

describe('batches by length', () => {
  it('hold every example exactly once, shuffled or not', () => {
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 64 }), (all, size) => {
        const every = all.map((_, i) => i);
        expect(rowsOf(shuffledBatches(all, size, stream(1, 'test')))).toEqual(every);
        expect(rowsOf(lengthBatches(all, size))).toEqual(every);
      }),
    );
  });

  it('are as long as their longest text', () => {
    fc.assert(
      fc.property(lengths, (all) => {
        for (const { rows, length } of shuffledBatches(all, 8, stream(1, 'test'))) {
          expect(length).toBe(Math.max(...[...rows].map((row) => all[row] ?? 0)));
        }
      }),
    );
  });

  it('come in the same order for the same stream and in another one for the next epoch', () => {
    const all = Array.from({ length: 500 }, (_, i) => 3 + (i % 17));
    const order = (epoch: number): string => JSON.stringify(shuffledBatches(all, 16, stream(1, 'batches', epoch)));
    expect(order(0)).toBe(order(0));
    expect(order(0)).not.toBe(order(1));
  });

  it('pad about one position in a hundred on texts of real lengths', () => {
    const random = stream(3, 'lengths');
    const all = Array.from({ length: 8000 }, () => Math.max(3, Math.round(12 + 5 * random.normal())));
    const batches = shuffledBatches(all, 64, stream(1, 'batches', 0));
    expect(paddingFraction(batches, all)).toBeLessThan(0.015);
    const unsorted = Array.from({ length: 125 }, (_, i) => {
      const rows = Int32Array.from({ length: 64 }, (_, j) => i * 64 + j);
      return { rows, length: Math.max(...[...rows].map((row) => all[row] ?? 0)) };
    });
    expect(paddingFraction(unsorted, all)).toBeGreaterThan(0.3);
  });
});
