import type { GraphBuilder } from '../../../../graph/builder.ts';
import type { Value } from '../../../../graph/graph.ts';
import { sizeOf } from '../../../../graph/ops/shared-emit.ts';
import { numbersOf, tensorOf } from '../../../../graph/tensor.ts';
import { floatShape, isOf, type Lowering, type Place } from './walk.ts';

/** Axes that a reduction names, where they are constants. */
const axesOf = ({ builder, node }: Place): readonly number[] | undefined => {
  const [, input] = node.inputs;
  const tensor = input == null ? undefined : builder.weightOf(input);
  return tensor === undefined ? undefined : numbersOf(tensor);
};

const keepsDims = ({ node }: Place): boolean => {
  const { keepdims } = node.attrs;
  return keepdims?.kind !== 'int' || keepdims.value !== 0;
};

/** A row of ones, as long as `flat` has rows. */
const onesFor = (builder: GraphBuilder, flat: Value): Value =>
  builder.op('ConstantOfShape', [sizeOf(builder, flat, 0)], { value: tensorOf('float32', [1], Float32Array.of(1)) });

/**
 * The sum of all rows as a row of ones times the rows: the gradient of every bias and scale. The kernel of that product takes
 * half of the time of ReduceSum over the first axes.
 */
export const rowSums = (): Lowering => {
  const rows = new Map<string, Value>();
  return (place) => {
    const { builder, node, output } = place;
    const [x] = node.inputs;
    if (!isOf(node, 'ReduceSum') || x == null || keepsDims(place)) return false;
    const shape = floatShape(place, x);
    const last = (shape?.length ?? 0) - 1;
    const axes = axesOf(place)?.map((axis) => (axis < 0 ? axis + last + 1 : axis));
    if (
      shape === undefined ||
      last < 1 ||
      axes?.toSorted().join() !==
        shape
          .slice(1)
          .map((_, i) => i)
          .join()
    )
      return false;
    const flat = last === 1 ? x : builder.op('Flatten', [x], { axis: last }); // (rows, width)
    const key = shape.slice(0, last).join();
    const ones = rows.get(key) ?? onesFor(builder, flat); // (rows)
    rows.set(key, ones);
    builder.op('MatMul', [ones, flat], {}, output);
    return true;
  };
};
