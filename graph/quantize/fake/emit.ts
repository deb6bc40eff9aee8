import type { Value } from '../../graph.ts';
import type { Emit, Gradient } from '../../op.ts';
import { reduce, scalarLike } from '../../ops/shared-math.ts';
import { type Grid, levelsOf, middleOf } from '../grid.ts';

/** Rules of differentiation by the output of the node that they are for. */
export type Rules = Map<Value, Gradient>;

/** What fake quantization made of numbers: what they are read as, and the whole numbers behind it. */
export interface Fake {
  /** scale * (code - zero). */
  readonly value: Value;
  readonly codes: Value;
  readonly scales: Value;
  /** Left out where zero stands for itself. */
  readonly zeros?: Value;
}

/** A scale and a zero point for each group of numbers, in shapes that spread over them. */
export interface Steps {
  readonly scales: Value;
  readonly zeros?: Value;
}

/** dx = dy: rounding has no slope of its own (Bengio et al. 2013, arXiv 1308.3432). */
const straightThrough: Gradient = (_emit, _call, [dy]) => [dy ?? null];

/** Nothing flows on: what is measured of numbers is taken as it is. */
const stopped: Gradient = () => [null];

/** The same numbers, through which no gradient goes. */
const measured = (emit: Emit, x: Value, rules: Rules): Value => {
  const still = emit.op('Identity', [x]);
  rules.set(still, stopped);
  return still;
};

/**
 * code = clip(round(x / scale) + zero), y = scale (code - zero). Gradients: dx = dy where nothing was clipped, and
 * dscale = dy (code - zero - x / scale) there, dy (code - zero) elsewhere, which is that of learned steps (Esser et al. 2019,
 * arXiv 1902.08153): all of it follows from letting gradients through the rounding.
 */
export const emitFake = (
  emit: Emit,
  x: Value,
  { scales, zeros }: Steps,
  bounds: readonly [number, number],
  rules: Rules,
): Fake => {
  const whole = emit.op('Round', [emit.op('Div', [x, scales])]);
  rules.set(whole, straightThrough);
  const [low, high] = bounds;
  const shifted = zeros === undefined ? whole : emit.op('Add', [whole, zeros]);
  const codes = emit.op('Clip', [shifted, scalarLike(emit, x, low), scalarLike(emit, x, high)]);
  const centred = zeros === undefined ? codes : emit.op('Sub', [codes, zeros]);
  return { value: emit.op('Mul', [centred, scales]), codes, scales, ...(zeros === undefined ? {} : { zeros }) };
};

/** 1 in place of 0: numbers that are all zero have any scale. */
const orOne = (emit: Emit, scale: Value): Value => {
  const none = emit.op('Equal', [scale, scalarLike(emit, scale, 0)]);
  return emit.op('Where', [none, scalarLike(emit, scale, 1), scale]);
};

/** Steps that reach from the lowest to the highest number of each group along an axis, 0 between them. */
export const emitRanges = (emit: Emit, x: Value, axis: number, grid: Grid, rules: Rules): Steps => {
  const seen = measured(emit, x, rules);
  const zero = scalarLike(emit, x, 0);
  const low = emit.op('Min', [reduce(emit, 'ReduceMin', seen, [axis], true), zero]);
  const high = emit.op('Max', [reduce(emit, 'ReduceMax', seen, [axis], true), zero]);
  const most = levelsOf(grid) - 1;
  if (!grid.zeroPoint) {
    const below = emit.op('Greater', [emit.op('Neg', [low]), high]);
    const farther = emit.op('Where', [below, low, high]);
    const scales = orOne(emit, emit.op('Div', [farther, scalarLike(emit, x, -middleOf(grid))]));
    return { scales, zeros: scalarLike(emit, x, middleOf(grid)) };
  }
  const scales = orOne(emit, emit.op('Div', [emit.op('Sub', [high, low]), scalarLike(emit, x, most)]));
  const place = emit.op('Round', [emit.op('Div', [emit.op('Neg', [low]), scales])]);
  return { scales, zeros: emit.op('Clip', [place, zero, scalarLike(emit, x, most)]) };
};

/** 256 steps over all numbers of a tensor, 0 on one of them: as DynamicQuantizeLinear finds them. */
export const emitSpan = (emit: Emit, x: Value, rules: Rules): Steps => {
  const seen = measured(emit, x, rules);
  const zero = scalarLike(emit, x, 0);
  const [most, all] = [scalarLike(emit, x, 255), { keepdims: 0 }];
  const low = emit.op('Min', [emit.op('ReduceMin', [seen], all), zero]);
  const high = emit.op('Max', [emit.op('ReduceMax', [seen], all), zero]);
  const scales = orOne(emit, emit.op('Div', [emit.op('Sub', [high, low]), most]));
  const place = emit.op('Round', [emit.op('Div', [emit.op('Neg', [low]), scales])]);
  return { scales, zeros: emit.op('Clip', [place, zero, most]) };
};

/** One step for each group along an axis, so that its largest number is the largest whole one. */
export const emitPeaks = (emit: Emit, x: Value, axis: number, limit: number, rules: Rules): Steps => {
  const seen = measured(emit, x, rules);
  const peak = reduce(emit, 'ReduceMax', emit.op('Abs', [seen]), [axis], true);
  return { scales: orOne(emit, emit.op('Div', [peak, scalarLike(emit, x, limit)])) };
};
