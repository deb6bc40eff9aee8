import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { fixedPointOf, inSteps, type Range } from '../../graph/quantize/range.ts';
import type { Distribution } from '../../stages/quantize/calibrators/calibrator.ts';
import { calibratorOf, calibrators } from '../../stages/quantize/calibrators/index.ts';
import { Distributing } from '../../stages/quantize/distributions.ts';

const seen = (...texts: readonly Float32Array[]): Distribution => {
  const distributing = new Distributing();
  for (const text of texts) distributing.add(text, true);
  return distributing.distribution;
};

const normals = (length: number, purpose: string): Float32Array => {
  const random = stream(3, purpose);
  return Float32Array.from({ length }, () => random.normal());
};

/** As GELU makes numbers: many just below zero, few far above. */
const skewed = (length: number): Float32Array => normals(length, 'skewed').map((x) => (x < 0 ? 0.1 * x : x ** 3));

const errorOf = (data: Float32Array, range: Range): number => {
  const point = fixedPointOf(range);
  return data.reduce((sum, x) => sum + (x - inSteps(x, point)) ** 2, 0);
};

describe.each(calibrators)('$name', ({ range, counts, name }) => {
  it.each([
    ['normal numbers', normals(5000, 'normal')],
    ['numbers on one side', normals(500, 'side').map((x) => 3 + Math.abs(x))],
    ['skewed numbers', skewed(5000)],
    ['one number', Float32Array.of(-2.5)],
    ['zeros', new Float32Array(20)],
    ['numbers with one far out', Float32Array.of(...normals(999, 'far'), 1e4)],
  ])('spans %s: zero among it, and nothing that no text made', (_, data) => {
    const { low, high } = range(seen(data));
    expect(low).toBeLessThanOrEqual(0);
    expect(high).toBeGreaterThanOrEqual(0);
    expect(low).toBeGreaterThanOrEqual(Math.min(0, ...data));
    expect(high).toBeLessThanOrEqual(Math.max(0, ...data));
    expect(Number.isFinite(fixedPointOf({ low, high }).step)).toBe(true);
  });

  it('is found by its name', () => {
    expect(calibratorOf(name).name).toBe(name);
    expect(typeof counts).toBe('boolean');
  });
});

describe('calibrators', () => {
  it('are min-max where nobody says', () => {
    expect(calibratorOf(undefined).name).toBe('min-max');
    const { low, high } = calibratorOf(undefined).range(seen(Float32Array.of(-1, 7), Float32Array.of(-3, 2)));
    expect([low, high]).toEqual([-3, 7]);
  });

  it('cut one number in 100,000 by percentile, half of them at each end', () => {
    const data = normals(400_000, 'many');
    const sorted = data.toSorted();
    const { low, high } = calibratorOf('percentile').range(seen(data));
    const near = (sorted[399_999] as number) / 1000;
    expect(Math.abs(low - (sorted[2] as number))).toBeLessThan(near);
    expect(Math.abs(high - (sorted[399_997] as number))).toBeLessThan(near);
  });

  it('err least by mse of all that were tried, and far less than min-max where one number is far out', () => {
    const data = Float32Array.of(...normals(4999, 'far'), 60);
    const { low, high } = calibratorOf('mse').range(seen(data));
    const chosen = errorOf(data, { low, high });
    for (let limit = 1; limit <= 60; limit += 0.5) {
      const range = { low: Math.max(low, -limit), high: limit };
      expect(chosen).toBeLessThan(1.1 * errorOf(data, range));
    }
    const inside = data.subarray(0, 4999);
    expect(errorOf(inside, calibratorOf('entropy').range(seen(data)))).toBeLessThan(
      0.5 * errorOf(inside, calibratorOf('min-max').range(seen(data))),
    );
  });

  it('follow texts by a moving average', () => {
    const texts = [Float32Array.of(-1, 1), Float32Array.of(-2, 3), Float32Array.of(0, 11)];
    const { low, high } = calibratorOf('moving-average').range(seen(...texts));
    expect(low).toBeCloseTo((-1 + 0.01 * (-2 + 1)) * 0.99, 12);
    expect(high).toBeCloseTo(1.02 + 0.01 * (11 - 1.02), 12);
  });
});
