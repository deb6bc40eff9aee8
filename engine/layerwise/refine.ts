import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import type { Engine, Program } from '../engine.ts';

/** Steps of conjugate gradients: on MiniLM 30 more bring less than 0.001 of cosine. */
const STEPS = 30;

/** p h: directions times how inputs go together. */
export const openRefiner = (engine: Engine, threads: number): Promise<Program> => {
  const builder = new GraphBuilder('refine');
  const p = builder.input('p', 'float32', [symbol('rows'), symbol('width')]);
  const h = builder.input('h', 'float32', [symbol('width'), symbol('width')]);
  return engine.compile(builder.freeze([builder.op('MatMul', [p, h], {}, 'q')]), { threads, memory: 'pooled' });
};

/** A product some of whose weights are 0 for good. */
export interface Thinned {
  readonly rows: number;
  readonly width: number;
  /** As it was, row by row. */
  readonly dense: Float32Array;
  /** Where it begins: what is 0 stays 0. */
  readonly start: Float32Array;
  /** x'x over the rows that it reads, with something added to the diagonal. */
  readonly products: Float32Array;
}

/** Where each row stands: x is what moves, r what is left to do, p where it goes. */
interface Search {
  readonly thinned: Thinned;
  readonly x: Float32Array;
  readonly r: Float32Array;
  readonly p: Float32Array;
  /** r'z by row, z being r by the diagonal. */
  readonly size: Float64Array;
}

const begun = (thinned: Thinned, r: Float32Array): Search => {
  const { rows, width, start, products } = thinned;
  const [p, size] = [new Float32Array(r.length), new Float64Array(rows)];
  for (let i = 0; i < r.length; i++) {
    if (start[i] === 0) r[i] = 0;
    const at = i % width;
    const row = (i - at) / width;
    p[i] = (r[i] as number) / (products[at * width + at] as number);
    size[row] = (size[row] as number) + (r[i] as number) * (p[i] as number);
  }
  return { thinned, x: start.slice(), r, p, size };
};

/** One step of one row along p, q being p h. */
const advance = ({ thinned, x, r, p, size }: Search, q: Float32Array, row: number): void => {
  const { width, start, products } = thinned;
  const [from, to] = [row * width, (row + 1) * width];
  let along = 0;
  for (let i = from; i < to; i++) along += (p[i] as number) * (q[i] as number);
  const before = size[row] as number;
  // What is left is nothing, or noise: the row has arrived.
  if (!(along > 0) || !(before > 0)) return;
  const step = before / along;
  let next = 0;
  for (let i = from; i < to; i++) {
    if (start[i] === 0) continue;
    x[i] = (x[i] as number) + step * (p[i] as number);
    const left = (r[i] as number) - step * (q[i] as number);
    r[i] = left;
    const at = i - from;
    next += (left * left) / (products[at * width + at] as number);
  }
  size[row] = next;
  for (let i = from; i < to; i++) {
    if (start[i] === 0) continue;
    const at = i - from;
    p[i] = (r[i] as number) / (products[at * width + at] as number) + (next / before) * (p[i] as number);
  }
};

/**
 * The weights that stay, moved to where the product errs least: the least-squares problem min |(w - v) X|^2 over v with zeros where
 * `start` has them, row by row, by conjugate gradients with the diagonal as preconditioner (Hestenes and Stiefel 1952), all rows in
 * one product a step.
 */
export const refined = async (refiner: Program, thinned: Thinned, signal: AbortSignal): Promise<Float32Array> => {
  const { rows, width, dense, start, products } = thinned;
  const h = { dtype: 'float32', dims: [width, width], data: products } as const;
  const times = async (data: Float32Array): Promise<Float32Array> => {
    signal.throwIfAborted();
    const { q } = await refiner.run({ p: { dtype: 'float32', dims: [rows, width], data }, h });
    if (!(q?.data instanceof Float32Array)) throw new Error('floats come back');
    return q.data;
  };
  const error = dense.map((w, i) => w - (start[i] as number));
  const search = begun(thinned, (await times(error)).slice());
  for (let step = 0; step < STEPS; step++) {
    const q = await times(search.p);
    for (let row = 0; row < rows; row++) advance(search, q, row);
  }
  return search.x;
};
