import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/graph.ts';

/** What has no length is divided by this instead of by 0. */
const LEAST_NORM = 1e-6;

/** Below this a score is a mask's, not one of two tokens (TinyBERT's own code takes -100, too). */
const MASKED = -1e2;

/** The sum over the last axis, which goes or stays. */
export const rowSums = (builder: GraphBuilder, x: Value, keepdims: 0 | 1 = 0): Value =>
  builder.op('ReduceSum', [x, builder.ints([-1])], { keepdims });

/** The sum of all elements, a scalar. */
export const total = (builder: GraphBuilder, x: Value): Value => builder.op('ReduceSum', [x], { keepdims: 0 });

/** Square root of a sum of squares, at least the least norm. */
const rootOf = (builder: GraphBuilder, squares: Value): Value =>
  builder.op('Sqrt', [builder.op('Max', [squares, builder.scalar('float32', LEAST_NORM ** 2)])]);

/** Rows of length 1. */
export const unit = (builder: GraphBuilder, x: Value): Value =>
  builder.op('Div', [x, rootOf(builder, rowSums(builder, builder.op('Mul', [x, x]), 1))]);

/** 1 - cos of rows that have length 1 already. */
export const oneMinusCosine = (builder: GraphBuilder, a: Value, b: Value): Value =>
  builder.op('Sub', [builder.scalar('float32', 1), rowSums(builder, builder.op('Mul', [a, b]))]);

/** KL(p || q) of distributions that are given as logits, over the last axis. */
export const divergence = (builder: GraphBuilder, wanted: Value, given: Value): Value => {
  const logP = builder.op('LogSoftmax', [wanted], { axis: -1 });
  const p = builder.op('Softmax', [wanted], { axis: -1 });
  const logQ = builder.op('LogSoftmax', [given], { axis: -1 });
  return rowSums(builder, builder.op('Mul', [p, builder.op('Sub', [logP, logQ])]));
};

/** Rows times their weights, all of it summed: a scalar. */
export const weighed = (builder: GraphBuilder, rows: Value, weights: Value): Value =>
  total(builder, builder.op('Mul', [rows, weights]));

/** The mean over an axis, which goes. */
export const meanOver = (builder: GraphBuilder, x: Value, axis: number): Value =>
  builder.op('ReduceMean', [x, builder.ints([axis])], { keepdims: 0 });

/** Scores without the endless numbers of masks, of which differences would be none. */
export const bounded = (builder: GraphBuilder, scores: Value): Value =>
  builder.op('Max', [scores, builder.scalar('float32', -1e4)]);

/** 1 where a score is one of two tokens, 0 where a mask stands. */
export const unmasked = (builder: GraphBuilder, scores: Value): Value =>
  builder.op('Cast', [builder.op('Greater', [scores, builder.scalar('float32', MASKED)])], { to: 1 });

/** Covariance over root of both variances, with sums over an axis that stays: `weights` come to 1 over it. */
export const correlation = (
  builder: GraphBuilder,
  { a, b, weights, axis }: { readonly a: Value; readonly b: Value; readonly weights: Value; readonly axis: number },
): Value => {
  const axes = builder.ints([axis]);
  const mean = (x: Value): Value => builder.op('ReduceSum', [builder.op('Mul', [x, weights]), axes], { keepdims: 1 });
  const centred = (x: Value): Value => builder.op('Sub', [x, mean(x)]);
  const [x, y] = [centred(a), centred(b)];
  const roots = [x, y].map((one) => rootOf(builder, mean(builder.op('Mul', [one, one]))));
  return builder.op('Div', [mean(builder.op('Mul', [x, y])), roots.reduce((p, q) => builder.op('Mul', [p, q]))]);
};
