import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blankRows, columnsFor, isUnread, logSumExp, putRow, spreadRow } from '../../data/rows.ts';

const CLASSES = 300;
/** Sums of hundreds of float32 probabilities. */
const ROUNDING = 1e-4;

const logitsOf = fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: CLASSES, maxLength: CLASSES });

const kept = (logits: Float32Array, always?: number): Float32Array => {
  const rows = blankRows(3, CLASSES);
  putRow(rows, 1, logits, always);
  const row = new Float32Array(CLASSES);
  spreadRow(rows, 1, row);
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

  it('are unread before anything is said, and never after, whatever was said', () => {
    fc.assert(
      fc.property(fc.constantFrom(3, CLASSES), fc.constantFrom(0, 1, -7), (width, said) => {
        const rows = blankRows(3, width);
        // Equal to the last bit, as a model's answers may be.
        putRow(rows, 1, new Float32Array(width).fill(said));
        expect([0, 1, 2].map((row) => isUnread(rows, row))).toEqual([true, false, true]);
      }),
    );
  });

  it('are of the class that was said, of however many', () => {
    const many = 66_000;
    const logits = new Float32Array(many);
    logits[65_999] = 9;
    const rows = blankRows(1, many);
    putRow(rows, 0, logits, 65_537);
    expect([rows.kept?.[0], rows.kept?.at(-1)]).toEqual([65_999, 65_537]);
    const row = new Float32Array(many);
    spreadRow(rows, 0, row);
    expect(row.indexOf(Math.max(...row))).toBe(65_999);
  });

  it('are logits as they are where there are few classes', () => {
    const rows = blankRows(2, 3);
    putRow(rows, 1, Float32Array.of(3, 1, 2));
    expect(rows).toEqual({
      ...{ width: 3, columns: 3, data: Float32Array.of(0, 0, 0, 3, 1, 2) },
      unread: Uint8Array.of(1, 0),
    });
  });
});
