import { describe, expect, it } from 'vitest';
import { stepMemory } from '../../pipeline/guard/limits.ts';

const GB = 1e9;

describe('what a step may take of a machine', () => {
  it.each([
    ['nearly all of an idle one', { total: 16 * GB, free: 14 * GB }, 13.3 * GB],
    ['half of a busy one, whose other programs may end soon', { total: 16 * GB, free: 2 * GB }, 8 * GB],
  ])('is %s', (_, machine, bytes) => {
    expect(stepMemory(machine)).toBeCloseTo(bytes, 0);
  });
});
