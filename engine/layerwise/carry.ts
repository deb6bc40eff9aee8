import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import type { Engine, Program } from '../engine.ts';

/** Inputs that are decided before what they erred by goes on to all that follow, in one product. */
export const STRETCH = 128;

/** w - e u: what is left of weights after errors went on to them. */
export const openCarrier = (engine: Engine, threads: number): Promise<Program> => {
  const builder = new GraphBuilder('carry');
  const w = builder.input('w', 'float32', [symbol('rows'), symbol('rest')]);
  const e = builder.input('e', 'float32', [symbol('rows'), symbol('stretch')]);
  const u = builder.input('u', 'float32', [symbol('stretch'), symbol('rest')]);
  const left = builder.op('Sub', [w, builder.op('MatMul', [e, u])], {}, 'left');
  return engine.compile(builder.freeze([left]), { threads, memory: 'pooled' });
};

/** Columns of a matrix of `width` columns, from one on, as a matrix of their own. */
const columns = (data: Float32Array, rows: number, width: number, from: number): Float32Array => {
  const own = new Float32Array(rows * (width - from));
  for (let row = 0; row < rows; row++)
    own.set(data.subarray(row * width + from, (row + 1) * width), row * (width - from));
  return own;
};

/** Weights under way, (rows, width), and what errors of one input do to those that follow. */
interface Underway {
  readonly rows: number;
  readonly width: number;
  /** Changes as errors go on. */
  readonly w: Float32Array;
  /** Upper triangular. */
  readonly factor: Float32Array;
}

/** What inputs from `from` up to `to` erred by, (rows, to - from), goes on to all that follow. */
export const carry = async (
  carrier: Program,
  { rows, width, w, factor }: Underway,
  { from, to, errors }: { readonly from: number; readonly to: number; readonly errors: Float32Array },
): Promise<void> => {
  const rest = width - to;
  if (rest === 0) return;
  const stretch = factor.subarray(from * width, to * width);
  const { left } = await carrier.run({
    w: { dtype: 'float32', dims: [rows, rest], data: columns(w, rows, width, to) },
    e: { dtype: 'float32', dims: [rows, to - from], data: errors },
    u: { dtype: 'float32', dims: [to - from, rest], data: columns(stretch, to - from, width, to) },
  });
  if (!(left?.data instanceof Float32Array)) throw new Error('floats come back');
  for (let row = 0; row < rows; row++) w.set(left.data.subarray(row * rest, (row + 1) * rest), row * width + to);
};
