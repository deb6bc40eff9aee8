import { blankFor, blocksOf, type Grid, levelsOf, middleOf, type Rounded, type Rows } from './grid.ts';
import { type FixedPoint, fixedPointOf, type Range, rangeOf } from './range.ts';

/** Numbers of one block, and how much an error of each counts. */
interface Block {
  readonly data: Float32Array;
  readonly from: number;
  readonly to: number;
  /** By place within the row; each counts the same where there are none. */
  readonly importance?: Float64Array | undefined;
  /** Where the row begins. */
  readonly start: number;
}

const clamp = (x: number, most: number): number => Math.max(0, Math.min(most, x));

/** Sum of squared errors of a block, each times how much it counts. Numbers halfway may go either way here. */
const errorOf = ({ data, from, to, importance, start }: Block, { step, zero }: FixedPoint, most: number): number => {
  const [inverse, shifted] = [1 / step, zero + 0.5];
  let sum = 0;
  for (let i = from; i < to; i++) {
    const w = data[i] as number;
    // Cut towards zero, what is shifted by a half is rounded; what is below zero is clipped in any case.
    const whole = (w * inverse + shifted) | 0;
    const error = w - (clamp(whole, most) - zero) * step;
    sum += importance === undefined ? error * error : error * error * (importance[i - start] as number);
  }
  return sum;
};

/** Shares of the range that are tried: what lies beyond is clipped, and the rest is rounded finer. */
const SHARES: readonly number[] = Array.from({ length: 21 }, (_, i) => 1 - i / 40);

/** The larger side reaches the lowest whole number, which lies one further from the middle than the highest. */
const centred = ({ low, high }: Range, middle: number): FixedPoint => {
  const farther = -low > high ? low : high;
  return { step: Math.fround(farther / -middle) || 1, zero: middle };
};

/** The scale of a block: of its whole range, or of the share of it that errs least. */
const scalingOf = (block: Block, grid: Grid, search: boolean): FixedPoint => {
  const most = levelsOf(grid) - 1;
  const range = rangeOf(block.data, block.from, block.to);
  const of = (share: number): FixedPoint => {
    const cut = { low: range.low * share, high: range.high * share };
    return grid.zeroPoint ? fixedPointOf(cut, most) : centred(cut, middleOf(grid));
  };
  let best = of(1);
  if (!search) return best;
  let least = errorOf(block, best, most);
  for (const share of SHARES) {
    const tried = of(share);
    const error = errorOf(block, tried, most);
    if (error < least) [best, least] = [tried, error];
  }
  return best;
};

export interface ScaleOptions {
  /** Whether ranges are searched for the error that is least. */
  readonly search: boolean;
  /** How much an error of each input counts. */
  readonly importance?: Float64Array | undefined;
}

/** Scales and zero points of all blocks; no code is set. */
export const scalesOf = (rows: Rows, grid: Grid, { search, importance }: ScaleOptions): Rounded => {
  const rounded = blankFor(rows, grid);
  const blocks = blocksOf(rows.width, grid);
  for (let row = 0; row < rows.rows; row++) {
    const start = row * rows.width;
    for (let b = 0; b < blocks; b++) {
      const from = start + b * grid.block;
      const to = Math.min(start + rows.width, from + grid.block);
      const { step, zero } = scalingOf({ data: rows.data, from, to, importance, start }, grid, search);
      rounded.scales[row * blocks + b] = step;
      rounded.zeros[row * blocks + b] = zero;
    }
  }
  return rounded;
};

/** The nearest whole number of each number. */
export const nearest = (rows: Rows, grid: Grid, options: ScaleOptions): Rounded => {
  const rounded = scalesOf(rows, grid, options);
  const most = levelsOf(grid) - 1;
  const blocks = blocksOf(rows.width, grid);
  for (let row = 0; row < rows.rows; row++) {
    for (let i = 0; i < rows.width; i++) {
      const block = row * blocks + Math.floor(i / grid.block);
      const whole = Math.round((rows.data[row * rows.width + i] as number) / (rounded.scales[block] as number));
      rounded.codes[row * rows.width + i] = clamp(whole + (rounded.zeros[block] as number), most);
    }
  }
  return rounded;
};

/** The nearest whole numbers, by the range of each block that errs least. */
export const searched = (rows: Rows, grid: Grid): Rounded => nearest(rows, grid, { search: true });
