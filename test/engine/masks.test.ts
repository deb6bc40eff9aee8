import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { bytesFor, KernelMemory } from '../../engine/kernels/memory.ts';
import { drawMask, keptScale, MaskBuffers } from '../../engine/masks.ts';
import { multiplyDims, type Shape, symbol } from '../../graph/dim.ts';
import { value } from '../../graph/graph.ts';

const maskOf = (length: number, ratio: number, ...purpose: number[]): Uint8Array => {
  const memory = new KernelMemory(bytesFor([length], 1));
  return drawMask(memory, { length, ratio }, stream(1, 'dropout', ...purpose)).slice();
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
    drawMask(memory, { length: 5, ratio: 0.4 }, stream(1, 'dropout', 7));
    expect(memory.octets(5)).toEqual(new Uint8Array(5));
  });

  it.each([0, 1, 4, 6, 21])('go on where a piece of them ended, at %i', (from) => {
    const memory = new KernelMemory(bytesFor([64], 1));
    const rest = drawMask(memory, { length: 40 - from, ratio: 0.4, from }, stream(1, 'dropout', 7));
    expect(rest).toEqual(maskOf(40, 0.4, 7).slice(from));
  });

  it.each<readonly [string, Shape]>([
    ['rows first', [symbol('batch'), symbol('sequence'), 3]],
    ['all positions as rows', [multiplyDims(symbol('batch'), symbol('sequence')), 3]],
    ['rows in the middle, of which each piece has others', [symbol('sequence'), symbol('batch'), 3]],
    ['none of the rows', [symbol('sequence'), 3]],
  ])('of pieces of a batch are those of the batch: %s', (name, shape) => {
    const draw = (batch: number, before: number): readonly number[] => {
      const masks = [{ input: value('dropout/0'), shape, ratio: 0.4 }];
      const symbols = { batch, sequence: 5 };
      const drawn = new MaskBuffers().draw(masks, symbols, stream(1, 'dropout', 0), { batch: before });
      return Array.from(drawn['dropout/0']?.data ?? [], Number);
    };
    const pieces = [...draw(2, 0), ...draw(2, 2), ...draw(1, 4)];
    expect(pieces).toEqual(name.startsWith('none') ? [0, 1, 2].flatMap(() => draw(5, 0)) : draw(5, 0));
  });

  it('take the shape of the batch', () => {
    const masks = [{ input: value('dropout/0'), shape: [symbol('batch'), symbol('sequence'), 8], ratio: 0.1 }];
    const drawn = new MaskBuffers().draw(masks, { batch: 3, sequence: 5 }, stream(1, 'dropout', 0));
    expect(drawn['dropout/0']?.dims).toEqual([3, 5, 8]);
    expect(drawn['dropout/0']?.data.length).toBe(120);
  });
});
