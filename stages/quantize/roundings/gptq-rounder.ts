import type { Engine, Program } from '../../../engine/engine.ts';
import { carry, openCarrier, STRETCH } from '../../../engine/layerwise/carry.ts';
import { damped, inverseFactor } from '../../../engine/layerwise/factor.ts';
import { blocksOf, type Grid, levelsOf, type Rounded } from '../../../graph/quantize/grid.ts';
import { scalesOf } from '../../../graph/quantize/nearest.ts';
import type { Rounder, Subject } from './rounding.ts';

/** Share of the mean of the diagonal that is added to it. */
const DAMPING = 0.05;

/** Inputs of the largest squares first: their errors are made up for by all that follow. */
const orderOf = (products: Float64Array, width: number): Int32Array => {
  const square = (i: number): number => products[i * width + i] as number;
  return Int32Array.from({ length: width }, (_, i) => i).sort((a, b) => square(b) - square(a) || a - b);
};

/** What all matrices that read one input share. */
interface Correlations {
  readonly width: number;
  readonly order: Int32Array;
  /** Upper triangular, in that order. */
  readonly factor: Float32Array;
  /** How much an error of each input counts. */
  readonly importance: Float64Array;
}

/** `products` is x'x over all rows, width x width. */
const correlationsOf = (products: Float64Array, width: number): Correlations => {
  const order = orderOf(products, width);
  const factor = inverseFactor(damped(products, width, order, DAMPING), width);
  if (factor === undefined) throw new Error('a damped matrix of products is positive definite');
  const importance = Float64Array.from({ length: width }, (_, i) => products[i * width + i] as number);
  return { width, order, factor: Float32Array.from(factor), importance };
};

interface Progress {
  readonly grid: Grid;
  readonly rounded: Rounded;
  readonly correlations: Correlations;
  readonly rows: number;
  /** In the order of the correlations; changes as errors go on. */
  readonly w: Float32Array;
}

/** Rounds a stretch of inputs of one row; errors go on within the stretch, and are noted. */
const roundStretch = (
  { grid, rounded, correlations, w }: Progress,
  row: number,
  from: number,
  errors: Float32Array,
) => {
  const { width, order, factor } = correlations;
  const [most, blocks] = [levelsOf(grid) - 1, blocksOf(width, grid)];
  const to = Math.min(width, from + STRETCH);
  const own = w.subarray(row * width, (row + 1) * width);
  for (let i = from; i < to; i++) {
    const place = order[i] as number;
    const block = row * blocks + Math.floor(place / grid.block);
    const [scale, zero] = [rounded.scales[block] as number, rounded.zeros[block] as number];
    const code = Math.max(0, Math.min(most, Math.round((own[i] as number) / scale) + zero));
    rounded.codes[row * width + place] = code;
    const at = i * width;
    const error = ((own[i] as number) - (code - zero) * scale) / (factor[at + i] as number);
    errors[row * (to - from) + i - from] = error;
    for (let j = i + 1; j < to; j++) own[j] = (own[j] as number) - error * (factor[at + j] as number);
  }
};

/** Rounds stretch by stretch; errors of one go on to all that follow in one product. */
const roundedBy = async (
  { rows, grid }: Subject,
  correlations: Correlations,
  carrier: Program,
  signal: AbortSignal,
): Promise<Rounded> => {
  const { width, order, factor, importance } = correlations;
  const rounded = scalesOf(rows, grid, { search: true, importance });
  const w = new Float32Array(rows.data.length);
  for (let row = 0; row < rows.rows; row++) {
    for (let i = 0; i < width; i++) w[row * width + i] = rows.data[row * width + (order[i] as number)] as number;
  }
  const rounding: Progress = { grid, rounded, correlations, rows: rows.rows, w };
  for (let from = 0; from < width; from += STRETCH) {
    signal.throwIfAborted();
    const to = Math.min(width, from + STRETCH);
    const errors = new Float32Array(rows.rows * (to - from));
    for (let row = 0; row < rows.rows; row++) roundStretch(rounding, row, from, errors);
    await carry(carrier, { rows: rows.rows, width, w, factor }, { from, to, errors });
  }
  return rounded;
};

/** Rounds by what inputs are like: what matrices of one input share is worked out once. */
export const open = async (engine: Engine, threads: number): Promise<Rounder> => {
  const carrier = await openCarrier(engine, threads);
  let known: { readonly products: Float64Array; readonly correlations: Correlations } | undefined;
  return {
    round: async (subject, signal) => {
      const { products, rows } = subject;
      if (known?.products !== products) known = { products, correlations: correlationsOf(products, rows.width) };
      return await roundedBy(subject, known.correlations, carrier, signal);
    },
    release: () => carrier.release(),
  };
};
