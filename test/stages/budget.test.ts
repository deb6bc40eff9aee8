import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { value } from '../../graph/graph.ts';
import { bytesIn, expectReachable, widenedWithin } from '../../stages/quantize/budget.ts';

const widenings = fc
  .array(fc.record({ harm: fc.double({ min: 0, max: 1, noNaN: true }), bytes: fc.integer({ min: 1, max: 1000 }) }), {
    maxLength: 12,
  })
  .map((list) => list.map((one, i) => ({ ...one, weight: value(`w${i}`) })));

describe('a budget of bytes', () => {
  it('is kept, and no weight that would fit is left behind', () => {
    fc.assert(
      fc.property(widenings, fc.integer({ min: 0, max: 4000 }), (list, bytes) => {
        const chosen = widenedWithin(list, bytes);
        const spent = list.reduce((sum, { weight, bytes: own }) => sum + (chosen.has(weight) ? own : 0), 0);
        expect(spent).toBeLessThanOrEqual(bytes);
        for (const { weight, bytes: own } of list) if (!chosen.has(weight)) expect(spent + own).toBeGreaterThan(bytes);
      }),
    );
  });

  it('goes to what loses most by the byte', () => {
    const list = [
      { weight: value('large'), harm: 10, bytes: 100 },
      { weight: value('dense'), harm: 5, bytes: 10 },
      { weight: value('idle'), harm: 0, bytes: 1 },
    ];
    expect([...widenedWithin(list, 100)]).toEqual(['dense', 'idle']);
    expect([...widenedWithin(list, 110)]).toEqual(['dense', 'large']);
  });

  it('is written as people write bytes', () => {
    expect(['16MB', '1.5 MB', '800kB', '7B', '2GB'].map(bytesIn)).toEqual([16e6, 1.5e6, 8e5, 7, 2e9]);
    expect(['16', '16 mb', '-1MB', 'MB', '1e3MB'].map(bytesIn)).toEqual(Array(5).fill(undefined));
  });

  it('below everything in the fewest bits is refused with what can be reached', () => {
    expect(() => expectReachable(14_630_000, 12e6)).toThrow(
      'budget: 12.00MB cannot be reached: with every weight in the fewest bits the file has 14.63MB; allow that, or cut the model first',
    );
    expect(() => expectReachable(12e6, 12e6)).not.toThrow();
  });
});
