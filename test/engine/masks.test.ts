import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { bytesFor, KernelMemory } from '../../engine/kernels/memory.ts';
import { fillMask, keptScale, MaskBuffers } from '../../engine/masks.ts';
import { symbol } from '../../graph/dim.ts';
import { value } from '../../graph/graph.ts';

const maskOf = (length: number, ratio: number, ...purpose: number[]): Uint8Array => {
  const memory = new KernelMemory(bytesFor([length], 1));
  const mask = memory.octets(length);
  fillMask(memory, mask, ratio, stream(1, 'dropout', ...purpose));
  return mask.slice();
};
const share = (mask: Uint8Array, of: (x: number) => boolean): number => mask.filter(of).length / mask.length;

/** Five standard deviations of a share over 100,000 draws, and half a step of the 256 that a ratio is rounded to. */
const SAMPLING = 0.008;

describe('dropout masks', () => {
  it.each([0.1, 0.15, 0.5])('drop a share of %s and keep the expectation', (ratio) => {
    const mask = maskOf(100_003, ratio, 0);
    expect(Math.abs(share(mask, (x) => x === 0) - ratio)).toBeLessThan(SAMPLING);
    expect(keptScale(ratio) * share(mask, (x) => x === 1)).toBeCloseTo(1, 1);
    expect(new Set(mask)).toEqual(new Set([0, 1]));
  });

  it('are a function of their stream', () => {
    expect(maskOf(1000, 0.3, 4, 1)).toEqual(maskOf(1000, 0.3, 4, 1));
    expect(maskOf(1000, 0.3, 4, 1)).not.toEqual(maskOf(1000, 0.3, 5, 1));
  });

  it('show no correlation between neighbours, rows or steps', () => {
    const a = maskOf(65_536, 0.5, 1);
    const b = maskOf(65_536, 0.5, 2);
    const both = (x: Uint8Array, y: Uint8Array, lag: number): number =>
      x.reduce((sum, kept, i) => sum + Number(kept > 0 && (y[i + lag] ?? 0) > 0), 0) / x.length;
    for (const lag of [1, 2, 3, 4, 5, 8, 64, 256, 512]) expect(Math.abs(both(a, a, lag) - 0.25)).toBeLessThan(0.02);
    expect(Math.abs(both(a, b, 0) - 0.25)).toBeLessThan(0.02);
  });

  it('are the same bits whatever the length, and leave the next array alone', () => {
    const long = maskOf(64, 0.4, 7);
    for (const length of [1, 3, 16, 17, 33]) expect(maskOf(length, 0.4, 7)).toEqual(long.slice(0, length));
    const memory = new KernelMemory(bytesFor([5, 5], 1));
    const [one, next] = [memory.octets(5), memory.octets(5)];
    next.fill(9);
    fillMask(memory, one, 0.4, stream(1, 'dropout', 7));
    expect(next).toEqual(new Uint8Array(5).fill(9));
  });

  it('take the shape of the batch', () => {
    const masks = [{ input: value('dropout/0'), shape: [symbol('batch'), symbol('sequence'), 8], ratio: 0.1 }];
    const drawn = new MaskBuffers().draw(masks, { batch: 3, sequence: 5 }, stream(1, 'dropout', 0));
    expect(drawn['dropout/0']?.dims).toEqual([3, 5, 8]);
    expect(drawn['dropout/0']?.data.length).toBe(120);
  });
});
