import { refusal } from '../../ground/errors.ts';
import { addDims, type Dim, divideDims, productOf, type Shape, subtractDims, symbol } from '../dim.ts';
import type { Node, TensorType } from '../graph.ts';
import type { Call, Inferred } from '../op.ts';
import type { DType, Tensor } from '../tensor.ts';

/** Shape arithmetic happens on short vectors; anything longer is data and is not propagated. */
const INTS_LIMIT = 64;

export const intAttr = (node: Node, name: string, fallback: number): number => {
  const attr = node.attrs[name];
  return attr?.kind === 'int' ? attr.value : fallback;
};

export const intsAttr = (node: Node, name: string): readonly number[] | undefined => {
  const attr = node.attrs[name];
  return attr?.kind === 'ints' ? attr.value : undefined;
};

export const stringAttr = (node: Node, name: string, fallback: string): string => {
  const attr = node.attrs[name];
  return attr?.kind === 'string' ? attr.value : fallback;
};

export const tensorAttr = (node: Node, name: string): Tensor | undefined => {
  const attr = node.attrs[name];
  return attr?.kind === 'tensor' ? attr.value : undefined;
};

/** ONNX TensorProto.DataType numbers, as Cast and EyeLike carry them. */
const dtypeNumbers: Readonly<Record<number, DType>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  16: 'bfloat16',
  21: 'uint4',
  22: 'int4',
};

export const dtypeOfNumber = (call: Call, number: number): DType => {
  const dtype = dtypeNumbers[number];
  if (dtype === undefined) throw refusal(`${describe(call)} asks for element type ${number}, which is not known`);
  return dtype;
};

/** The number that ONNX gives an element type, for Cast's `to`. */
export const dtypeNumber = (dtype: DType): number => {
  const found = Object.entries(dtypeNumbers).find(([, name]) => name === dtype);
  if (found === undefined) throw new TypeError(`${dtype} has no ONNX number`);
  return Number(found[0]);
};

export const isFloat = (dtype: DType | undefined): boolean =>
  dtype === 'float32' || dtype === 'float64' || dtype === 'float16' || dtype === 'bfloat16';

/** How errors name a node. */
export const describe = (call: Call): string => `${call.node.op} '${call.node.name}'`;

/** The type of an input that the operator cannot do without. */
export const inputOf = (call: Call, position: number): TensorType => {
  const type = call.inputs[position];
  if (type === undefined) {
    throw refusal(`${describe(call)}: input ${position} is missing or has no known type`);
  }
  return type;
};

export const normalizeAxis = (call: Call, axis: number, rank: number): number => {
  const normal = axis < 0 ? axis + rank : axis;
  if (normal < 0 || normal >= rank) {
    throw refusal(`${describe(call)}: axis ${axis} is outside a value of rank ${rank}`);
  }
  return normal;
};

/** The numbers of a known integer input; undefined where any is unknown or symbolic. */
export const numbersAt = (call: Call, position: number): readonly number[] | undefined => {
  const ints = call.ints(position);
  const numbers = ints?.filter((dim) => typeof dim === 'number');
  return numbers !== undefined && numbers.length === ints?.length ? numbers : undefined;
};

export const isNumeric = (shape: Shape): shape is readonly number[] => shape.every((dim) => typeof dim === 'number');

/**
 * A symbol for a dimension that inference cannot express (data-dependent, or one of two different symbols). It is named
 * after the output, so the same node always gets the same symbol.
 */
export const freshDim = (call: Call, output: number, axis: number): Dim =>
  symbol(`${call.node.outputs[output] ?? call.node.name}.${axis}`);

/** `ints` where the vector is short enough to be shape arithmetic. */
export const withInts = (type: TensorType, ints: readonly Dim[] | undefined): Inferred =>
  ints !== undefined && ints.length <= INTS_LIMIT ? { ...type, ints } : type;

/** Axes from an attribute (older operator sets) or an int64 input (newer ones); undefined where neither is known. */
export const axesOf = (call: Call, position: number): readonly number[] | undefined =>
  intsAttr(call.node, 'axes') ?? numbersAt(call, position);

const broadcastDim = (a: Dim, b: Dim, unknown: () => Dim): Dim => {
  if (a === b || b === 1) return a;
  if (a === 1) return b;
  if (typeof a === 'number') return typeof b === 'number' ? Number.NaN : a;
  return typeof b === 'number' ? b : unknown();
};

/**
 * The numpy broadcast of several shapes. A symbol against a number above one takes the number; two different symbols
 * give a fresh one. Numbers that do not fit are an error.
 */
export const broadcastShapes = (call: Call, shapes: readonly (Shape | undefined)[], output = 0): Shape | undefined => {
  const known = shapes.filter((shape) => shape !== undefined);
  if (known.length !== shapes.length) return undefined;
  const rank = Math.max(0, ...known.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const dims = known.map((shape) => shape[shape.length - rank + axis] ?? 1);
    const dim = dims.reduce((a, b) => broadcastDim(a, b, () => freshDim(call, output, axis)));
    if (Number.isNaN(dim)) {
      const found = known.map((shape) => `[${shape.join(', ')}]`).join(' and ');
      throw refusal(`${describe(call)}: shapes ${found} do not broadcast along axis ${axis}`);
    }
    return dim;
  });
};

/** Row-major strides of a numeric shape. */
export const stridesOf = (dims: readonly number[]): number[] => {
  const strides = new Array<number>(dims.length).fill(1);
  for (let axis = dims.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] ?? 1) * (dims[axis + 1] ?? 1);
  }
  return strides;
};

/** Element `flat` of `to` broadcast from `from`, for small integer vectors. */
export const broadcastInts = (ints: readonly Dim[], from: Shape, to: Shape): readonly Dim[] | undefined => {
  if (!isNumeric(from) || !isNumeric(to)) return undefined;
  const count = to.reduce((a, b) => a * b, 1);
  if (count > INTS_LIMIT) return undefined;
  const strides = stridesOf(to);
  const inner = stridesOf(from);
  return Array.from({ length: count }, (_, flat) => {
    let source = 0;
    from.forEach((size, axis) => {
      const outer = axis + to.length - from.length;
      const index = Math.floor(flat / (strides[outer] ?? 1)) % (to[outer] ?? 1);
      source += (size === 1 ? 0 : index) * (inner[axis] ?? 1);
    });
    return ints[source] ?? 0;
  });
};

/** The target of a Reshape with its 0 and -1 entries resolved; -1 stays a fresh symbol where it cannot be divided. */
export const resolveReshape = (
  call: Call,
  from: Shape | undefined,
  target: readonly Dim[],
  allowZero: boolean,
): Shape => {
  const copied = target.map((entry, axis) =>
    entry === 0 && !allowZero ? (from?.[axis] ?? freshDim(call, 0, axis)) : entry,
  );
  const hole = copied.indexOf(-1);
  if (hole < 0) return copied;
  const rest = productOf(copied.filter((_, axis) => axis !== hole));
  const whole = from === undefined ? undefined : divideDims(productOf(from), rest);
  if (from !== undefined && whole === undefined && isNumeric(from) && typeof rest === 'number') {
    throw refusal(
      `${describe(call)}: [${from.join(', ')}] does not divide into [${target.join(', ')}]; check the constant shape`,
    );
  }
  return copied.map((entry, axis) => (axis === hole ? (whole ?? freshDim(call, 0, axis)) : entry));
};

/** Length of a slice along one axis; undefined where symbols leave it open. Starts and ends may count from the end. */
export const sliceLength = (size: Dim, start: Dim, end: Dim, step: number): Dim | undefined => {
  if (typeof size === 'number' && typeof start === 'number' && typeof end === 'number') {
    return sliceIndices(size, start, end, step).length;
  }
  if (step !== 1) return undefined;
  const [from, to] = [sliceBound(size, start), sliceBound(size, end)];
  // A symbolic size is taken to be large enough for numeric bounds, as the graph's author took it to be.
  return from === size || to === 0 ? 0 : subtractDims(to, from);
};

/** No axis is longer: bounds beyond mean the end, or the start where they count from the end. */
const LONGEST_AXIS = 2 ** 31 - 1;

/** A bound of a slice along an axis of any size, counted from the front. */
export const sliceBound = (size: Dim, bound: Dim): Dim => {
  if (typeof bound !== 'number') return bound;
  if (bound >= LONGEST_AXIS) return size;
  if (bound <= -LONGEST_AXIS) return 0;
  return bound < 0 ? addDims(size, bound) : bound;
};

/** The indices that a slice picks, with numpy's clamping. */
export const sliceIndices = (size: number, start: number, end: number, step: number): number[] => {
  const clamp = (index: number, low: number, high: number): number =>
    Math.min(Math.max(index < 0 ? index + size : index, low), high);
  const indices: number[] = [];
  if (step > 0) {
    const stop = clamp(end, 0, size);
    for (let i = clamp(start, 0, size); i < stop; i += step) indices.push(i);
  } else {
    const stop = clamp(end, -1, size - 1);
    for (let i = clamp(start, 0, size - 1); i > stop; i += step) indices.push(i);
  }
  return indices;
};

/** The gradient-free, work-free rest of a record. */
export const noMacs = (): Dim => 0;

/** Sum of dimensions, for concatenation and padding. */
export const sumOf = (dims: readonly Dim[]): Dim => dims.reduce<Dim>(addDims, 0);
