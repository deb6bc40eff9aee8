import { refusal } from '../../ground/errors.ts';
import type { Value } from '../graph.ts';
import type { Call, Emit, Gradient } from '../op.ts';
import { entryOf, sizesVector } from './shared-emit.ts';
import { operand } from './shared-math.ts';
import { describe, inputOf, intAttr, intsAttr, isNumeric, stringAttr } from './shared-structure.ts';
import { folded, unfolded, type Walk } from './shared-unfold.ts';

/** Zeros on both sides so that every stride begins inside. */
const samePadding = (length: number, reach: number, stride: number, upper: boolean): readonly [number, number] => {
  const all = Math.max(0, (Math.ceil(length / stride) - 1) * stride + reach - length);
  const less = Math.floor(all / 2);
  return upper ? [less, all - less] : [all - less, less];
};

/** How the kernel walks along each axis. */
export const walksOf = (call: Call): readonly Walk[] => {
  const kernel = inputOf(call, 1).shape?.slice(2);
  if (kernel === undefined || !isNumeric(kernel)) throw refusal(`${describe(call)}: the size of its kernel is not known`);
  const pads = intsAttr(call.node, 'pads') ?? [];
  const auto = stringAttr(call.node, 'auto_pad', 'NOTSET');
  return kernel.map((size, i) => {
    const stride = intsAttr(call.node, 'strides')?.[i] ?? 1;
    const dilation = intsAttr(call.node, 'dilations')?.[i] ?? 1;
    const walk = { kernel: size, stride, dilation };
    if (auto === 'VALID') return { ...walk, before: 0, after: 0 };
    if (!auto.startsWith('SAME')) return { ...walk, before: pads[i] ?? 0, after: pads[i + kernel.length] ?? 0 };
    const length = inputOf(call, 0).shape?.[i + 2];
    if (typeof length !== 'number') throw refusal(`${describe(call)}: the length that its padding depends on is not known`);
    const [before, after] = samePadding(length, dilation * (size - 1) + 1, stride, auto === 'SAME_UPPER');
    return { ...walk, before, after };
  });
};

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
  if (shape === undefined || !isNumeric(shape)) throw refusal(`${describe(call)}: the shape of its kernels is not known`);
  const groups = intAttr(call.node, 'group', 1);
  const [kernels = 0, channels = 0, ...kernel] = shape;
  return { groups, channels, kernels: kernels / groups, kernel };
};

/** What every place sees: (batch, channels, places, kernel, places, kernel ..). */
const seenBy = (emit: Emit, x: Value, y: Value, walks: readonly Walk[]): Value =>
  walks.reduceRight((seen, walk, i) => unfolded(emit, seen, i + 2, walk, y, i + 2), x);

const placeAxes = (walks: readonly Walk[]): readonly number[] => walks.map((_, i) => 2 + 2 * i);
const kernelAxes = (walks: readonly Walk[]): readonly number[] => walks.map((_, i) => 3 + 2 * i);

/** (batch, kernels, places ..) to (groups, kernels of one, batch * places). */
const byKernel = (emit: Emit, dy: Value, { groups, kernels }: Sizes): Value => {
  const rank = emit.type(dy).shape?.length ?? 3;
  const perm = [1, 0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2)];
  return emit.op('Reshape', [emit.op('Transpose', [dy], { perm }), emit.ints([groups, kernels, -1])]);
};

/** (groups, channels of one * kernel, batch * places) of what every place sees. */
export const byChannel = (emit: Emit, x: Value, y: Value, walks: readonly Walk[], { groups, channels, kernel }: Sizes): Value => {
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
  return walks.reduce((sum, walk, i) => folded(emit, sum, i + 2, walk, x), apart);
};

/**
 * y = w * x + b, a kernel seeing x_p at place p (Dumoulin and Visin, arXiv 1603.07285):
 *
 *   db = sum_p dy_p,  dw = sum_p dy_p x_p^T,  dx = sum over p of w^T dy_p, put back where x_p was seen
 */
export const convGradient: Gradient = (emit, call, [dy]) => {
  if (dy == null) return call.node.inputs.map(() => null);
  const [x, w] = [operand(call, 0), operand(call, 1)];
  const [walks, sizes] = [walksOf(call), sizesOf(call)];
  const axes = [0, ...walks.map((_, i) => i + 2)];
  const db = (): Value => emit.op('ReduceSum', [dy, emit.ints(axes)], { keepdims: 0 });
  return [
    inputGradient(emit, x, w, dy, walks, sizes),
    kernelGradient(emit, x, dy, walks, sizes),
    ...(call.node.inputs[2] == null ? [] : [db()]),
  ];
};
