import type { Value } from '../../../../graph/graph.ts';
import { entryOf, sizesVector } from '../../../../graph/ops/shared-emit.ts';
import { floatShape, isOf, isReadOnce, type Lowering, madeBy, type Place } from './walk.ts';

interface Linear {
  readonly x: Value;
  readonly weight: Value;
  readonly bias: Value;
}

/** x W + b of a stack x, one matrix and a row as wide as it, where nobody else reads the product. */
const linearAt = (place: Place, product: Value, bias: Value): Linear | undefined => {
  const made = madeBy(place, product, 'MatMul');
  if (made === undefined || !isReadOnce(place, product)) return undefined;
  const [x, weight] = made.inputs;
  if (x == null || weight == null) return undefined;
  const [stack, matrix, row] = [x, weight, bias].map((value) => floatShape(place, value));
  const fits = stack !== undefined && stack.length > 2 && matrix?.length === 2 && row?.length === 1;
  return fits && typeof row[0] === 'number' && row[0] === matrix[1] ? { x, weight, bias } : undefined;
};

/**
 * x W + b as one Gemm over all rows, which begins with b where a MatMul begins with 0: no pass over the product adds it. A
 * stack of matrices is one matrix to it.
 */
export const linear: Lowering = (place) => {
  const { builder, node, output } = place;
  const [a, b] = node.inputs;
  if (!isOf(node, 'Add') || a == null || b == null) return false;
  const found = linearAt(place, a, b) ?? linearAt(place, b, a);
  if (found === undefined) return false;
  const shape = builder.type(found.x).shape ?? [];
  const last = shape.length - 1;
  const flat = builder.op('Flatten', [found.x], { axis: last });
  const product = builder.op('Gemm', [flat, found.weight, found.bias]);
  const [width] = builder.type(found.bias).shape ?? [];
  const leading = shape.slice(0, last).map((_, axis) => (axis === 1 ? -1 : entryOf(builder, found.x, axis)));
  const sizes = sizesVector(builder, [...leading, typeof width === 'number' ? width : -1]);
  builder.op('Reshape', [product, sizes], {}, output);
  return true;
};
