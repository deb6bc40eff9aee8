import { describe, expect, it } from 'vitest';
import { rateAt } from '../../engine/schedule.ts';

const rates = (kind: 'linear' | 'cosine' | 'constant', warmup: number, total: number): number[] =>
  Array.from({ length: total }, (_, step) => rateAt({ kind, warmup }, step, total));

describe('learning-rate schedules', () => {
  it('rise to the full rate over the warm-up and fall linearly to zero', () => {
    const linear = rates('linear', 0.2, 10);
    expect(linear.slice(0, 3).map((rate) => Number(rate.toFixed(4)))).toEqual([0.3333, 0.6667, 1]);
    expect(linear.at(-1)).toBeCloseTo(1 / 8, 12);
    expect(rateAt({ kind: 'linear', warmup: 0.2 }, 10, 10)).toBe(0);
  });

  it('fall along half a cosine, at half the rate half-way', () => {
    expect(rateAt({ kind: 'cosine', warmup: 0 }, 50, 100)).toBeCloseTo(0.5, 12);
    const cosine = rates('cosine', 0, 100);
    expect(cosine.every((rate, i) => i === 0 || rate < (cosine[i - 1] ?? 0))).toBe(true);
  });

  it('stay when constant, and never start at zero', () => {
    expect(new Set(rates('constant', 0, 5))).toEqual(new Set([1]));
    expect(rateAt({ kind: 'constant', warmup: 0.5 }, 0, 10)).toBeGreaterThan(0);
  });
});
