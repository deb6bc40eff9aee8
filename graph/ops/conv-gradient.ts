import { refusal } from '../../ground/errors.ts';
import type { Value } from '../graph.ts';
import type { Call, Emit, Gradient } from '../op.ts';
import { entryOf, sizesVector } from './shared-emit.ts';
import { operand } from './shared-math.ts';
import { describe, inputOf, intAttr, isNumeric } from './shared-structure.ts';
import { foldedAll, kernelAxes, placeAxes, seenBy } from './shared-unfold.ts';
import { type Walk, walksOf } from './shared-walks.ts';

/** Sizes of a convolution in groups. */
interface Sizes {
  readonly groups: number;
  /** Channels and kernels of one group. */
  readonly channels: number;
  readonly kernels: number;
  /** Elements of a kernel in one channel, axis by axis. */
  readonly kernel: readonly number[];
}

export const sizesOf = (call: Call): Sizes => {
  const shape = inputOf(call, 1).shape;
  if (shape === undefined || !isNumeric(shape))
    throw refusal(`${describe(call)}: the shape of its kernels is not known`);
  const groups = intAttr(call.node, 'group', 1);
  const [kernels = 0, channels = 0, ...kernel] = shape;
  return { groups, channels, kernels: kernels / groups, kernel };
};

/** (batch, kernels, places ..) to (groups, kernels of one, batch * places). */
const byKernel = (emit: Emit, dy: Value, { groups, kernels }: Sizes): Value => {
  const rank = emit.type(dy).shape?.length ?? 3;
  const perm = [1, 0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2)];
  return emit.op('Reshape', [emit.op('Transpose', [dy], { perm }), emit.ints([groups, kernels, -1])]);
};

/** (groups, channels of one * kernel, batch * places) of what every place sees. */
export const byChannel = (
  emit: Emit,
  x: Value,
  y: Value,
  walks: readonly Walk[],
  { groups, channels, kernel }: Sizes,
): Value => {
  const perm = [1, ...kernelAxes(walks), 0, ...placeAxes(walks)];
  const turned = emit.op('Transpose', [seenBy(emit, x, y, walks)], { perm });
  const elements = kernel.reduce((a, b) => a * b, channels);
  return emit.op('Reshape', [turned, emit.ints([groups, elements, -1])]);
};

const kernelGradient = (emit: Emit, x: Value, dy: Value, walks: readonly Walk[], sizes: Sizes): Value => {
  const seen = emit.op('Transpose', [byChannel(emit, x, dy, walks, sizes)], { perm: [0, 2, 1] });
  const product = emit.op('MatMul', [byKernel(emit, dy, sizes), seen]);
  return emit.op('Reshape', [product, emit.ints([sizes.groups * sizes.kernels, sizes.channels, ...sizes.kernel])]);
};

const inputGradient = (emit: Emit, x: Value, w: Value, dy: Value, walks: readonly Walk[], sizes: Sizes): Value => {
  const { groups, channels, kernels, kernel } = sizes;
  const elements = kernel.reduce((a, b) => a * b, channels);
  const rows = emit.op('Reshape', [w, emit.ints([groups, kernels, elements])]);
  const flat = emit.op('Reshape', [dy, emit.ints([0, groups, kernels, -1])]); // (batch, groups, kernels, places)
  const seen = emit.op('MatMul', [emit.op('Transpose', [rows], { perm: [0, 2, 1] }), flat]);
  const places = walks.map((_, i) => entryOf(emit, dy, i + 2));
  const shape = sizesVector(emit, [entryOf(emit, dy, 0), groups * channels, ...kernel, ...places]);
  const spread = emit.op('Reshape', [seen, shape]); // (batch, channels, kernel .., places ..)
  const perm = [0, 1, ...walks.flatMap((_, i) => [2 + walks.length + i, 2 + i])];
  const apart = emit.op('Transpose', [spread], { perm });
  return foldedAll(emit, apart, walks, x);
};

/**
 * y = w * x + b, a kernel seeing x_p at place p (Dumoulin and Visin, arXiv 1603.07285):
 *
 *   db = sum_p dy_p,  dw = sum_p dy_p x_p^T,  dx = sum over p of w^T dy_p, put back where x_p was seen
 */
export const convGradient: Gradient = (emit, call, [dy]) => {
  if (dy == null) return call.node.inputs.map(() => null);
  const [x, w] = [operand(call, 0), operand(call, 1)];
  const sizes = sizesOf(call);
  const walks = walksOf(call, sizes.kernel);
  const axes = [0, ...walks.map((_, i) => i + 2)];
  const db = (): Value => emit.op('ReduceSum', [dy, emit.ints(axes)], { keepdims: 0 });
  return [
    inputGradient(emit, x, w, dy, walks, sizes),
    kernelGradient(emit, x, dy, walks, sizes),
    ...(call.node.inputs[2] == null ? [] : [db()]),
  ];
};
