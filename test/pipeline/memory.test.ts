import { describe, expect, it } from 'vitest';
import { stepLimits, stepMemory } from '../../pipeline/guard/limits.ts';

const GB = 1e9;

describe('what a step may take of a machine', () => {
  it.each([
    ['nearly all of an idle one', { total: 16 * GB, free: 14 * GB }, 13.3 * GB],
    ['half of a busy one, whose other programs may end soon', { total: 16 * GB, free: 2 * GB }, 8 * GB],
  ])('is %s', (_, machine, bytes) => {
    expect(stepMemory(machine)).toBeCloseTo(bytes, 0);
  });

  it('is said with what helps: what its work said, or what helps most', () => {
    const room = { bytes: 8 * GB, asked: false };
    expect(stepLimits(room).memory.message).toBe(
      'the step was stopped: it took more than 8000 MB of memory, which is nearly all that this machine has to give; take shorter texts, smaller batches or a smaller model, or allow more with --memory MB',
    );
    const advice = 'a batch of 64 texts needs more; write batch: 16 and accumulate: 4';
    expect(stepLimits({ ...room, asked: true }, { bytes: 9 * GB, advice }).memory.message).toBe(
      `the step was stopped: it took more than 8000 MB of memory, which --memory allows; ${advice}, or allow more with --memory MB`,
    );
  });
});
