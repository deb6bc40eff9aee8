import { blocksOf, type Grid, levelsOf, type Rounded, type Rows } from '../../../graph/quantize/grid.ts';
import { nearest } from '../../../graph/quantize/nearest.ts';
import type { Rounding } from './rounding.ts';

/** Errors e count as |e|^0.7, so that a few large ones count less than many small ones. */
const POWER = 0.7;

/** How closely what was left out follows the error, in steps; grows by the factor each time. */
const [FIRST, GROWTH, TIMES] = [10, 1.01, 20] as const;

/** What of an error is left out of account: the shrinkage of |e|^p. */
const shrunken = (e: number, beta: number): number => {
  const size = Math.abs(e);
  return size === 0 ? 0 : Math.sign(e) * Math.max(0, size - size ** (POWER - 1) / beta);
};

/** The zero point of a block, in parts of a step, by which its numbers err least; they stand in steps. */
const zeroOf = (steps: Float32Array, first: number, most: number): number => {
  let [zero, beta] = [first, FIRST];
  let best = { zero, error: Number.POSITIVE_INFINITY };
  for (let time = 0; time < TIMES; time++) {
    let [error, sum] = [0, 0];
    for (const w of steps) {
      const code = Math.max(0, Math.min(most, Math.round(w + zero)));
      const off = w - (code - zero);
      error += Math.abs(off) ** POWER;
      sum += code - (w - shrunken(off, beta));
    }
    if (error >= best.error) break;
    best = { zero, error };
    zero = sum / steps.length;
    beta *= GROWTH;
  }
  return Math.max(0, Math.min(most, Math.round(best.zero)));
};

/** Zero points of all blocks moved to where they err least; without them nothing moves. */
const settled = (rows: Rows, grid: Grid): Rounded => {
  const rounded = nearest(rows, grid, { search: false });
  if (!grid.zeroPoint) return rounded;
  const [most, blocks, { width }] = [levelsOf(grid) - 1, blocksOf(rows.width, grid), rows];
  for (let b = 0; b < rows.rows * blocks; b++) {
    const from = Math.floor(b / blocks) * width + (b % blocks) * grid.block;
    const to = Math.min(from + grid.block, (Math.floor(b / blocks) + 1) * width);
    const scale = rounded.scales[b] as number;
    const steps = rows.data.slice(from, to).map((w) => w / scale);
    const zero = zeroOf(steps, rounded.zeros[b] as number, most);
    rounded.zeros[b] = zero;
    for (const [i, w] of steps.entries()) rounded.codes[from + i] = Math.max(0, Math.min(most, Math.round(w) + zero));
  }
  return rounded;
};

/**
 * Zero points by half-quadratic splitting: what an outlier errs by is left out of account, and the zero point is the mean of what
 * remains.
 *
 * Badri & Shaji 2023, Half-Quadratic Quantization, with whole zero points, which is what files of blocks hold.
 */
export const hqq: Rounding = {
  name: 'hqq',
  summary: 'each number for itself, by the zero point under which many small errors count more than a few large ones',
  readsInputs: false,
  rows: settled,
};
