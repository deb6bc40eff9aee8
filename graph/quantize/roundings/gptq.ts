import { blocksOf, type Grid, levelsOf, type Rounded, type Rows } from '../grid.ts';
import { inverseFactor } from './factor.ts';
import { scalesOf } from './nearest.ts';

export interface GptqOptions {
  /** Share of the mean of the diagonal that is added to it. */
  readonly damping: number;
  /** Sums of products of inputs, width x width. */
  readonly gram: Float64Array;
}

/** Inputs of the largest squares first: their errors are made up for by all that follow. */
const orderOf = (gram: Float64Array, width: number): Int32Array => {
  const order = Int32Array.from({ length: width }, (_, i) => i);
  return order.sort((a, b) => (gram[b * width + b] as number) - (gram[a * width + a] as number) || a - b);
};

const damped = (gram: Float64Array, width: number, order: Int32Array, damping: number): Float64Array => {
  const h = new Float64Array(width * width);
  let trace = 0;
  for (let i = 0; i < width; i++) trace += gram[i * width + i] as number;
  const added = (damping * trace) / width || 1;
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < width; j++)
      h[i * width + j] = gram[(order[i] as number) * width + (order[j] as number)] as number;
    h[i * width + i] = (h[i * width + i] as number) + added;
  }
  return h;
};

/**
 * Rounds input by input and makes up for each error by the inputs that follow, so that outputs err least.
 *
 * Frantar et al. 2022, GPTQ, arXiv 2210.17323, with scales set before (static groups) and inputs in the order of their squares.
 */
export const gptq = (rows: Rows, grid: Grid, { damping, gram }: GptqOptions): Rounded => {
  const { width } = rows;
  const importance = Float64Array.from({ length: width }, (_, i) => gram[i * width + i] as number);
  const rounded = scalesOf(rows, grid, { search: true, importance });
  const order = orderOf(gram, width);
  const u = inverseFactor(damped(gram, width, order, damping), width);
  if (u === undefined) throw new Error('a damped matrix of products is positive definite');
  const most = levelsOf(grid) - 1;
  const blocks = blocksOf(width, grid);
  const w = new Float64Array(width);
  for (let row = 0; row < rows.rows; row++) {
    for (let i = 0; i < width; i++) w[i] = rows.data[row * width + (order[i] as number)] as number;
    for (let i = 0; i < width; i++) {
      const place = order[i] as number;
      const block = row * blocks + Math.floor(place / grid.block);
      const [scale, zero] = [rounded.scales[block] as number, rounded.zeros[block] as number];
      const code = Math.max(0, Math.min(most, Math.round((w[i] as number) / scale) + zero));
      rounded.codes[row * width + place] = code;
      const factors = u.subarray(i * width, i * width + width);
      const error = ((w[i] as number) - (code - zero) * scale) / (factors[i] as number);
      for (let j = i + 1; j < width; j++) w[j] = (w[j] as number) - error * (factors[j] as number);
    }
  }
  return rounded;
};
