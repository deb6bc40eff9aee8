import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { value } from '../../graph/graph.ts';
import { bytesIn } from '../../ground/bytes.ts';
import { accuracy } from '../../ground/metrics/index.ts';
import { dataTask } from '../../ground/tasks.ts';
import { costOf, harmOf, pathOf, standing, stepsWithin } from '../../stages/knapsack.ts';
import { dropProblem, expectReachable, pointsIn, unreachable } from '../../stages/quantize/budget.ts';
import { type Site, throughBlocks } from '../../stages/quantize/knapsack.ts';
import { fewestHolding } from '../../stages/quantize/search.ts';

const grid = (bits: 4 | 8) => ({ bits, block: 32, zeroPoint: true }) as const;

/** A weight in 4 bits, in 8 and in floats. */
const siteOf = (name: string, harms: readonly [number, number], bytes: readonly [number, number]): Site => ({
  name: value(name),
  rungs: [
    { storage: grid(4), cost: 0, harm: harms[0] },
    { storage: grid(8), cost: bytes[0], harm: harms[1] },
    { storage: 'float', cost: bytes[1], harm: 0 },
  ],
});

const harm = fc.double({ min: 0, max: 1, noNaN: true });
const size = fc.integer({ min: 1, max: 1000 });

const sites = fc
  .array(fc.tuple(harm, harm, size, size), { maxLength: 8 })
  .map((list) => list.map(([few, more, own, wider], i) => siteOf(`w${i}`, [few, more], [own, own + wider])));

/** Every way of storing all weights, by brute force. */
const leastHarm = (list: readonly Site[], bytes: number): number => {
  const [first, ...rest] = list;
  if (first === undefined) return 0;
  const ways = first.rungs.filter((rung) => rung.cost <= bytes);
  return Math.min(...ways.map((rung) => rung.harm + leastHarm(rest, bytes - rung.cost)));
};

describe('a budget of bytes', () => {
  it('is kept, and every step goes on from where the one before left a weight', () => {
    fc.assert(
      fc.property(sites, fc.integer({ min: 0, max: 6000 }), (list, bytes) => {
        const steps = stepsWithin(pathOf(list), bytes);
        expect(costOf(list, standing(list, steps))).toBeLessThanOrEqual(bytes);
        const at = new Map<string, number>();
        for (const { name, from, to } of steps) {
          expect(from).toBe(at.get(name) ?? 0);
          expect(to).toBeGreaterThan(from);
          at.set(name, to);
        }
      }),
      // Savings so small that their shares of bytes are rounded to the same number.
      { examples: [[[siteOf('tiny', [3e-323, 2.5e-323], [4, 12])], 8]] },
    );
  });

  it('loses as little as any file of the bytes after each step of the path', () => {
    fc.assert(
      fc.property(sites, (list) => {
        const path = pathOf(list);
        for (let count = 0; count <= path.length; count++) {
          const taken = standing(list, path.slice(0, count));
          expect(harmOf(list, taken)).toBeCloseTo(leastHarm(list, costOf(list, taken)), 9);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('goes to what loses most by the byte', () => {
    const list = [
      siteOf('large', [10, 0], [100, 1000]),
      siteOf('dense', [5, 0], [10, 1000]),
      siteOf('idle', [0, 0], [1, 1000]),
    ];
    const widened = (bytes: number) => stepsWithin(pathOf(list), bytes).map(({ name }) => name);
    expect(widened(100)).toEqual(['dense']);
    expect(widened(110)).toEqual(['dense', 'large']);
  });

  it('has a path through blocks that ends with the last of them, and not with floats', () => {
    const list = [siteOf('quick', [1, 0.5], [10, 5000]), siteOf('slow', [0.02, 0.01], [10, 5000])];
    const path = pathOf(list);
    const within = path.slice(0, throughBlocks(list, path));
    expect(within.map(({ name, to }) => [name, to])).toEqual([
      ['quick', 1],
      ['slow', 1],
    ]);
    expect(path).toHaveLength(4);
  });

  it('goes past a way of storing that saves less than a wider one', () => {
    const list = [siteOf('odd', [1, 2], [10, 20])];
    expect(pathOf(list)).toMatchObject([{ from: 0, to: 2, cost: 20, harm: 1 }]);
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

describe('a budget of loss', () => {
  it('is written in points of a metric in per cent, and as a number of another', () => {
    expect(['0.5pt', '1 pt', '0.3pp', '2 points'].map(pointsIn)).toEqual([0.005, 0.01, 0.003, 0.02]);
    expect(['0.5', '0.5%', 'pt', '-1pt'].map(pointsIn)).toEqual(Array(4).fill(undefined));
    const [classes, masked, scores] = ['text-classification', 'fill-mask', 'score'] as const;
    expect(dropProblem('0.5pt', dataTask(classes))).toBeUndefined();
    expect(dropProblem(0.005, dataTask(classes))).toBe(
      'accuracy is told in per cent: expected points such as 0.5pt, found 0.005',
    );
    expect(dropProblem(0.02, dataTask(masked))).toBeUndefined();
    expect(dropProblem('0.5pt', dataTask(scores))).toBe(
      'Spearman correlation has no points: expected a number such as 0.01, found 0.5pt',
    );
  });

  it('finds the fewest steps that hold in few looks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 500 }), async (most, least) => {
        const looked: number[] = [];
        const holds = async (steps: number) => {
          looked.push(steps);
          return steps >= Math.min(least, most);
        };
        expect(await fewestHolding(most, holds)).toBe(Math.min(least, most));
        expect(looked.length).toBeLessThanOrEqual(4 + Math.ceil(Math.log2(most + 1)));
        expect(new Set(looked).size).toBe(looked.length);
      }),
    );
  });

  it('steps down over one that does not hold', async () => {
    const holding = new Set([4, 6, 7, 8]);
    expect(await fewestHolding(8, async (steps) => holding.has(steps))).toBe(4);
    expect(await fewestHolding(8, async (steps) => new Set([3, 6, 7, 8]).has(steps))).toBe(6);
  });

  it.each([
    [
      { estimate: 0.001, low: -0.004, high: 0.006 },
      'budget: a drop of 0.3 points at most cannot be reached: the least that was reached is 0.6 points: with every weight in 8 bits (2.00MB) accuracy is worse by 0.1 points on 400 answers about validation texts, 95 % interval -0.4 points to 0.6 points; these are too few to be surer: give more, or allow 0.6 points',
    ],
    [
      { estimate: 0.02, low: 0.01, high: 0.03 },
      'budget: a drop of 0.3 points at most cannot be reached: the least that was reached is 3 points: with every weight in 8 bits (2.00MB) accuracy is worse by 2 points on 400 answers about validation texts, 95 % interval 1 points to 3 points; allow 3 points, or take another format',
    ],
    [
      { estimate: 0, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY },
      'budget: a drop of 0.3 points at most cannot be reached: 400 answers about validation texts tell no interval; give more of them',
    ],
  ])('says what was reached where it cannot be kept: %o', (drop, message) => {
    const judged = { metric: accuracy, answers: 400, called: 'validation texts' };
    expect(unreachable({ maxDrop: 0.003 }, { bytes: 2e6, drop }, judged).message).toBe(message);
  });
});
