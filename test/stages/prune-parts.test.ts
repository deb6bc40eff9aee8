import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../graph/builder.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { anatomyOf, type Part } from '../../models/anatomy.ts';
import { targetOf } from '../../stages/prune/counts.ts';
import { schedules } from '../../stages/prune/schedules/index.ts';
import { shareAt } from '../../stages/prune/schedules/schedule.ts';
import { selectGlobal, selectTop } from '../../stages/prune/select.ts';
import { zeroSmallest } from '../../stages/prune/smallest.ts';
import { layersGoal } from '../../stages/prune/targets.ts';

const zerosOf = (arrays: readonly Float32Array[]): number =>
  arrays.reduce((sum, array) => sum + array.reduce((zeros, w) => zeros + Number(w === 0), 0), 0);

/** What sorting gives: the reference for selection by counting. */
const zeroBySorting = (arrays: readonly Float32Array[], count: number): Float32Array[] => {
  const result = arrays.map((array) => array.slice());
  const places = arrays.flatMap((array, a) => Array.from(array, (w, i) => ({ a, i, size: Math.abs(w) })));
  places.sort((x, y) => x.size - y.size || x.a - y.a || x.i - y.i);
  for (const { a, i } of places.slice(0, count)) result[a]?.fill(0, i, i + 1);
  return result;
};

describe('schedules', () => {
  const goal = { sparsity: 0.9, rounds: 4 };

  test.each(schedules)('$name rises from 0 to exactly 1 and never falls', (schedule) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), (total) => {
        const shares = Array.from({ length: total }, (_, i) => shareAt(schedule, i + 1, total, goal));
        expect(shares.at(-1)).toBe(1);
        shares.forEach((share, i) => {
          expect(share).toBeGreaterThanOrEqual(shares[i - 1] ?? 0);
          expect(share).toBeLessThanOrEqual(1);
        });
      }),
      { numRuns: 50 },
    );
  });

  test.each(schedules)('$name holds still over the first and the last fifth of the steps', (schedule) => {
    expect(shareAt(schedule, 200, 1000, goal)).toBe(0);
    expect(shareAt(schedule, 201, 1000, goal)).toBeGreaterThan(0);
    expect(shareAt(schedule, 799, 1000, goal) < 1 || schedule.name === 'once' || schedule.name === 'rounds').toBe(true);
    expect(shareAt(schedule, 800, 1000, goal)).toBe(1);
  });

  test('half-way cubic is 7/8 done, linear one half, and rounds have left what two of four cuts leave', () => {
    const halfWay = schedules.map((schedule) => [schedule.name, shareAt(schedule, 500, 1000, goal)]);
    expect(halfWay).toEqual([
      ['cubic', expect.closeTo(0.875, 12)],
      ['linear', expect.closeTo(0.5, 12)],
      ['once', 1],
      ['rounds', expect.closeTo((1 - Math.sqrt(0.1)) / 0.9, 12)],
    ]);
  });
});

describe('the smallest magnitudes', () => {
  const weights = fc.array(fc.float({ noNaN: true, min: -2, max: 2 }), { minLength: 1, maxLength: 60 });

  test('counting selects what sorting selects, ties included', () => {
    fc.assert(
      fc.property(
        fc.array(weights, { minLength: 1, maxLength: 4 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (rows, share) => {
          const arrays = rows.map((row) => Float32Array.from(row));
          const total = rows.flat().length;
          const expected = zeroBySorting(arrays, Math.floor(share * total));
          zeroSmallest(arrays, Math.floor(share * total));
          expect(arrays.map((array) => Array.from(array, Math.abs))).toEqual(
            expected.map((array) => Array.from(array, Math.abs)),
          );
        },
      ),
    );
  });

  test('equal magnitudes go in order until the count is reached', () => {
    const arrays = [Float32Array.of(1, -1, 1), Float32Array.of(-1, 1)];
    zeroSmallest(arrays, 3);
    expect(arrays).toEqual([Float32Array.of(0, 0, 0), Float32Array.of(-1, 1)]);
  });

  test('what is zero stays zero when more goes', () => {
    const arrays = [Float32Array.of(3, 0, -0.5, 2, 0)];
    zeroSmallest(arrays, 2);
    expect(arrays).toEqual([Float32Array.of(3, 0, -0.5, 2, 0)]);
    zeroSmallest(arrays, 3);
    expect(zerosOf(arrays)).toBe(3);
    expect(arrays[0]?.[2]).toBe(0);
  });
});

describe('targets', () => {
  test.each([
    [192, 512, 192],
    ['50%', 4, 2],
    ['50%', 1536, 768],
    ['40%', 512, 208],
    ['33%', 100, 32],
    ['1%', 12, 1],
    ['100%', 130, 130],
  ])('%s of %i keeps %i', (count, available, kept) => {
    expect(targetOf(count, available).kept).toBe(kept);
  });

  test('a share says what it came to before rounding', () => {
    expect(targetOf('40%', 512).exact).toBeCloseTo(204.8, 9);
    expect(targetOf(200, 512)).not.toHaveProperty('exact');
  });
});

const part = (name: string, count: number): Part => ({ name, kind: 'ffn', layers: [0], count, width: 1 });

describe('selection', () => {
  test('the best units are kept in their old order, equal scores by position', () => {
    expect(selectTop(Float64Array.of(1, 5, 3, 5, 1), 3)).toEqual([1, 2, 3]);
    expect(selectTop(Float64Array.of(2, 2, 2), 2)).toEqual([0, 1]);
  });

  test('a global ranking keeps the total and at least one block of every part', () => {
    const score = fc.double({ min: 0, max: 1, noNaN: true });
    const scores = fc.array(fc.array(score, { minLength: 16, maxLength: 16 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(scores, fc.integer({ min: 0, max: 8 }), (rows, extra) => {
        const parts = new Map(rows.map((row, i) => [part(`layer ${i} ffn`, 16), Float64Array.from(row)]));
        const kept = Math.min(16 * rows.length, 8 * (rows.length + extra));
        const chosen = [...selectGlobal(parts, kept, 8).values()];
        expect(chosen.flat()).toHaveLength(kept);
        for (const units of chosen) {
          expect(units.length).toBeGreaterThanOrEqual(8);
          expect(new Set(units).size).toBe(units.length);
        }
      }),
    );
  });

  test('a layer whose scores stand out keeps more than one whose scores are flat', () => {
    const [peaked, flat] = [part('layer 0 ffn', 4), part('layer 1 ffn', 4)];
    const scores = new Map([
      [peaked, Float64Array.of(10, 10, 0, 0)],
      [flat, Float64Array.of(1, 1, 1, 1)],
    ]);
    const chosen = selectGlobal(scores, 3, 1);
    expect(chosen.get(peaked)).toEqual([0, 1]);
    expect(chosen.get(flat)).toEqual([0]);
  });
});

describe('layers of a graph that has none', () => {
  test('cannot be kept, by number or by name', () => {
    const builder = new GraphBuilder('bag');
    const table = builder.weight('table', tensorOf('float32', [4, 2], new Float32Array(8)));
    const anatomy = anatomyOf(builder.freeze([builder.op('Gather', [table, builder.input('ids', 'int64', [1, 3])])]));
    for (const layers of [2, '50%', [0]]) {
      expect(() => layersGoal(anatomy, { layers })).toThrow(/^keep\.layers: the model has nothing of that kind/);
    }
  });
});
