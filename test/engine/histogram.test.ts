import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from '../../engine/observe/histogram.ts';

const of = (...texts: readonly (readonly number[])[]): Histogram => {
  const histogram = new Histogram();
  for (const text of texts) histogram.add(Float32Array.from(text));
  return histogram;
};

const numbers = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { maxLength: 40 });

describe('a histogram', () => {
  it('is the same whatever the order of texts, though bins grow as numbers come', () => {
    fc.assert(
      fc.property(fc.array(numbers, { maxLength: 5 }), (texts) => {
        const [there, back] = [of(...texts), of(...texts.toReversed())];
        expect(back.width).toBe(there.width);
        expect([...back.counts]).toEqual([...there.counts]);
        expect([back.low, back.high, back.total]).toEqual([there.low, there.high, there.total]);
      }),
    );
  });

  it('counts every number within a bin of where it is', () => {
    fc.assert(
      fc.property(numbers, (text) => {
        const histogram = of(text);
        expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(text.length);
        const sorted = [...Float32Array.from(text)].sort((a, b) => a - b);
        const middles = [...histogram.counts].flatMap((count, bin) =>
          new Array<number>(count).fill(histogram.middleOf(bin)),
        );
        sorted.forEach((x, i) => {
          expect(Math.abs((middles[i] ?? Number.NaN) - x)).toBeLessThanOrEqual(histogram.width);
        });
      }),
    );
  });

  it('takes the same room for however many numbers', () => {
    const few = of([1]);
    const many = of(...Array.from({ length: 100 }, (_, i) => [i, -i * i, 1 / (i + 1)]));
    expect(many.counts.length).toBe(few.counts.length);
    expect(many.total).toBe(300);
  });

  it('tells which share lies beyond a range, and only notes what it is told to reach', () => {
    const histogram = of([-2, -1, 0, 1, 8]);
    histogram.reach({ low: -4, high: 16 });
    expect([histogram.low, histogram.high, histogram.total]).toEqual([-4, 16, 5]);
    expect(histogram.beyond({ low: -1.5, high: 2 })).toBe(2 / 5);
    expect(histogram.beyond({ low: -2, high: 8 })).toBe(0);
    expect(of().beyond({ low: 0, high: 0 })).toBe(0);
  });
});
