import type { Rounded } from '../../../graph/quantize/grid.ts';
import { nearest } from '../../../graph/quantize/nearest.ts';
import type { Seeing, Subject } from './rounding.ts';

/** Each number for itself, by the range that errs least where an error counts by the squares of what it is multiplied with. */
const weighed = ({ rows, grid, products }: Subject): Rounded => {
  const { width } = rows;
  const importance = Float64Array.from({ length: width }, (_, i) => products[i * width + i] as number);
  return nearest(rows, grid, { search: true, importance });
};

/**
 * Inputs that are large are divided and their weights multiplied, so that these err less; then each number for itself.
 *
 * Lin et al. 2023, AWQ, arXiv 2306.00978, with scales searched by the exact error of the products.
 */
export const awq: Seeing = {
  name: 'awq',
  summary: 'each number for itself, after weights of large inputs were multiplied so that these err less',
  readsInputs: true,
  scales: true,
  open: async () => ({ round: async (subject) => weighed(subject), release: async () => undefined }),
};
