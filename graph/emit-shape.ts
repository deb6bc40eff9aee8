import type { GraphBuilder } from './builder.ts';
import { type Dim, type Expression, quotientIn, type Shape, symbol, termsOf } from './dim.ts';
import type { Value } from './graph.ts';
import { sizeOf } from './ops/shared-emit.ts';

/** The size of the first axis among some values that is just this dimension, as an int64 vector of one element. */
const readFrom = (builder: GraphBuilder, values: readonly Value[], dim: Dim): Value | undefined => {
  for (const value of values) {
    const axis = builder.hasType(value) ? (builder.type(value).shape?.indexOf(dim) ?? -1) : -1;
    if (axis >= 0) return sizeOf(builder, value, axis);
  }
  return undefined;
};

/** A symbol's size, or that of a quotient from the size of what it divides. */
const symbolSize = (builder: GraphBuilder, values: readonly Value[], name: Expression): Value | undefined => {
  const read = readFrom(builder, values, name);
  const quotient = read === undefined ? quotientIn(name) : undefined;
  if (quotient === undefined) return read;
  const whole = readFrom(builder, values, symbol(quotient.name));
  if (whole === undefined) return undefined;
  const more = builder.op('Add', [whole, builder.ints([quotient.plus])]);
  return builder.op('Div', [more, builder.ints([quotient.over])]);
};

/** A term of a dimension: a number times symbols that some axes have. */
const emitTerm = (
  builder: GraphBuilder,
  values: readonly Value[],
  { times, symbols }: ReturnType<typeof termsOf>[number],
): Value | undefined => {
  let product: Value | undefined = times === 1 && symbols.length > 0 ? undefined : builder.ints([times]);
  for (const name of symbols) {
    const size = symbolSize(builder, values, name);
    if (size === undefined) return undefined;
    product = product === undefined ? size : builder.op('Mul', [size, product]);
  }
  return product;
};

const emitDim = (builder: GraphBuilder, values: readonly Value[], dim: Dim): Value | undefined => {
  if (typeof dim === 'number') return builder.ints([dim]);
  const whole = readFrom(builder, values, dim);
  if (whole !== undefined) return whole;
  let sum: Value | undefined;
  for (const term of termsOf(dim)) {
    const next = emitTerm(builder, values, term);
    if (next === undefined) return undefined;
    sum = sum === undefined ? next : builder.op('Add', [sum, next]);
  }
  return sum;
};

/**
 * A shape as an int64 vector: numbers, and sizes of the axes of `values` where it hangs on what is fed; undefined where no axis
 * of theirs tells one of its symbols.
 */
export const emitShape = (builder: GraphBuilder, values: readonly Value[], shape: Shape): Value | undefined => {
  const parts: Value[] = [];
  for (const dim of shape) {
    const part = emitDim(builder, values, dim);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  const numbers = shape.filter((dim) => typeof dim === 'number');
  if (numbers.length === shape.length) return builder.ints(numbers);
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : builder.op('Concat', parts, { axis: 0 });
};
