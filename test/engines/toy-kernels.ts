import type { Call } from '../../graph/op.ts';
import { floatAttr } from '../../graph/ops/shared-math.ts';
import { intAttr, intsAttr, sliceIndices, stridesOf, stringAttr } from '../../graph/ops/shared-structure.ts';
import { elementCount } from '../../graph/tensor.ts';

type Numbers = ArrayLike<number>;

/** What a kernel reads of an input. */
interface Operand {
  readonly dims: readonly number[];
  readonly numbers: Numbers;
}

/** Elements of the one output, whose shape the operator's record has found. */
type Kernel = (call: Call, inputs: readonly Operand[], dims: readonly number[]) => Numbers;

/** For each element of `dims`, counted in order, the sum of its indices times these steps. */
const places = (dims: readonly number[], steps: readonly number[], from = 0): Int32Array => {
  const strides = stridesOf(dims);
  return Int32Array.from({ length: elementCount(dims) }, (_, i) =>
    dims.reduce((at, size, axis) => at + (Math.floor(i / (strides[axis] ?? 1)) % size) * (steps[axis] ?? 0), from),
  );
};

/** Steps that repeat an operand along axes where it has size one, or none. */
const repeating = (from: readonly number[], to: readonly number[]): readonly number[] => {
  const strides = stridesOf(from);
  const missing = to.length - from.length;
  return to.map((_, axis) => (from[axis - missing] === 1 ? 0 : (strides[axis - missing] ?? 0)));
};

const at = (numbers: Numbers, i: number | undefined): number => numbers[i ?? 0] as number;

const picked = (numbers: Numbers, from: Numbers): Numbers => Float64Array.from(from, (i) => at(numbers, i));

const elementwise =
  (apply: (...operands: number[]) => number | boolean): Kernel =>
  (_, inputs, dims) => {
    const spread = inputs.map((one) => picked(one.numbers, places(dims, repeating(one.dims, dims))));
    return Float64Array.from({ length: elementCount(dims) }, (_, i) => Number(apply(...spread.map((x) => at(x, i)))));
  };

const copied: Kernel = (_, [x]) => x?.numbers ?? [];

const axesOf = ({ node }: Call, rank: number, named: Operand | undefined): readonly number[] => {
  const axes = intsAttr(node, 'axes') ?? Array.from(named?.numbers ?? []);
  if (axes.length > 0) return axes.map((axis) => (axis + rank) % rank);
  return intAttr(node, 'noop_with_empty_axes', 0) === 1 ? [] : Array.from({ length: rank }, (_, axis) => axis);
};

/** Every element of x goes to the place of its result. */
const folded = (x: Operand, axes: readonly number[], start: number, fold: (sum: number, x: number) => number) => {
  const kept = x.dims.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const result = new Float64Array(elementCount(kept)).fill(start);
  const to = places(x.dims, repeating(kept, x.dims));
  to.forEach((place, i) => {
    result[place] = fold(at(result, place), at(x.numbers, i));
  });
  return { result, spread: () => picked(result, to) };
};

/** Elements of every output. */
type Kernels = (...given: Parameters<Kernel>) => readonly Numbers[];

const plus = (a: number, b: number): number => a + b;

const reduction =
  (start: number, fold: (sum: number, x: number) => number, finish = (sum: number, _count: number) => sum): Kernel =>
  (call, [x, named], dims) => {
    if (x === undefined) return [];
    const { result } = folded(x, axesOf(call, x.dims.length, named), start, fold);
    return result.map((sum) => finish(sum, elementCount(x.dims) / elementCount(dims)));
  };

/** Over one axis, or before operator set 13 over all from there on. */
const softmax =
  (logarithm: boolean): Kernel =>
  ({ node, opset }, [x]) => {
    if (x === undefined) return [];
    const rank = x.dims.length;
    const first = (intAttr(node, 'axis', opset < 13 ? 1 : -1) + rank) % rank;
    const axes = Array.from({ length: opset < 13 ? rank - first : 1 }, (_, i) => first + i);
    const most = folded(x, axes, Number.NEGATIVE_INFINITY, Math.max).spread();
    const shifted = Float64Array.from(x.numbers, (number, i) => number - at(most, i));
    const total = folded({ ...x, numbers: shifted.map(Math.exp) }, axes, 0, plus).spread();
    return shifted.map((number, i) => (logarithm ? number - Math.log(at(total, i)) : Math.exp(number) / at(total, i)));
  };

/** The result, and the mean and the inverse deviation that it was made with. */
const layerNormalization: Kernels = (call, [x, scale, bias]) => {
  if (x === undefined || scale === undefined) return [];
  const rank = x.dims.length;
  const first = (intAttr(call.node, 'axis', -1) + rank) % rank;
  const axes = Array.from({ length: rank - first }, (_, i) => first + i);
  const count = elementCount(x.dims.slice(first));
  const sums = folded(x, axes, 0, plus);
  const means = sums.spread();
  const centred = Float64Array.from(x.numbers, (number, i) => number - at(means, i) / count);
  const squares = folded({ ...x, numbers: centred.map((number) => number ** 2) }, axes, 0, plus);
  const inverse = (sum: number): number => 1 / Math.sqrt(sum / count + floatAttr(call, 'epsilon', 1e-5));
  const spread = squares.spread();
  const shift = (i: number): number => (bias === undefined ? 0 : at(bias.numbers, i % count));
  const y = centred.map((number, i) => number * inverse(at(spread, i)) * at(scale.numbers, i % count) + shift(i));
  return [y, sums.result.map((sum) => sum / count), squares.result.map(inverse)];
};

/** x y, matrix by matrix. */
const product = (x: Operand, y: Operand, dims: readonly number[]): Float64Array => {
  const [rows = 1, inner = 1] = x.dims.slice(-2);
  const columns = y.dims.at(-1) ?? 1;
  const outer = dims.slice(0, -2);
  const stacks = (one: Operand): Int32Array => places(outer, repeating(one.dims.slice(0, -2), outer));
  const [xs, ys] = [stacks(x), stacks(y)];
  return Float64Array.from({ length: elementCount(dims) }, (_, i) => {
    const [stack, row, column] = [Math.floor(i / (rows * columns)), Math.floor(i / columns) % rows, i % columns];
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      sum +=
        at(x.numbers, (at(xs, stack) * rows + row) * inner + k) *
        at(y.numbers, (at(ys, stack) * inner + k) * columns + column);
    }
    return sum;
  });
};

const transposed = ({ dims, numbers }: Operand, order: readonly number[]): Operand => {
  const strides = stridesOf(dims);
  const to = order.map((axis) => dims[axis] ?? 1);
  return {
    dims: to,
    numbers: picked(
      numbers,
      places(
        to,
        order.map((axis) => strides[axis] ?? 0),
      ),
    ),
  };
};

const reversed = (x: Operand, swap: boolean): Operand =>
  swap
    ? transposed(
        x,
        [...x.dims.keys()].map((axis, _, { length }) => (axis < length - 2 ? axis : 2 * length - 3 - axis)),
      )
    : x;

const matMul: Kernel = (_, [x, y], dims) => {
  if (x === undefined || y === undefined) return [];
  const row = x.dims.length === 1 ? { ...x, dims: [1, ...x.dims] } : x;
  const column = y.dims.length === 1 ? { ...y, dims: [...y.dims, 1] } : y;
  const outer = dims.slice(0, dims.length - Number(row === x) - Number(column === y));
  return product(row, column, [...outer, row.dims.at(-2) ?? 1, column.dims.at(-1) ?? 1]);
};

const gemm: Kernel = (call, [x, y, c], dims) => {
  if (x === undefined || y === undefined) return [];
  const flag = (name: string): boolean => intAttr(call.node, name, 0) === 1;
  const sum = product(reversed(x, flag('transA')), reversed(y, flag('transB')), dims);
  const [alpha, beta] = [floatAttr(call, 'alpha', 1), floatAttr(call, 'beta', 1)];
  const added = c === undefined ? undefined : picked(c.numbers, places(dims, repeating(c.dims, dims)));
  return sum.map((number, i) => alpha * number + (added === undefined ? 0 : beta * at(added, i)));
};

/** What lies at these indices of an axis. */
const taken = (x: Operand, axis: number, ids: Numbers): Operand => {
  const [size = 1, width, count] = [x.dims[axis], elementCount(x.dims.slice(axis + 1)), ids.length];
  const dims = x.dims.map((all, i) => (i === axis ? count : all));
  const numbers = Float64Array.from({ length: elementCount(dims) }, (_, i) => {
    const id = (at(ids, Math.floor(i / width) % count) + size) % size;
    return at(x.numbers, (Math.floor(i / (width * count)) * size + id) * width + (i % width));
  });
  return { dims, numbers };
};

const gather: Kernel = ({ node }, [x, ids]) => {
  if (x === undefined || ids === undefined) return [];
  return taken(x, (intAttr(node, 'axis', 0) + x.dims.length) % x.dims.length, ids.numbers).numbers;
};

const slice: Kernel = ({ node }, [x, ...bounds]) => {
  if (x === undefined) return [];
  const [starts, ends, axes, steps] = ['starts', 'ends', 'axes', 'steps'].map((name, i) => {
    const bound = bounds[i];
    return intsAttr(node, name) ?? (bound === undefined ? undefined : Array.from(bound.numbers));
  });
  return (starts ?? []).reduce((rest, start, i) => {
    const axis = ((axes?.[i] ?? i) + x.dims.length) % x.dims.length;
    const size = x.dims[axis] ?? 0;
    return taken(rest, axis, sliceIndices(size, start, ends?.[i] ?? size, steps?.[i] ?? 1));
  }, x).numbers;
};

const concat: Kernel = ({ node }, inputs, dims) => {
  const axis = (intAttr(node, 'axis', 0) + dims.length) % dims.length;
  const strides = stridesOf(dims);
  const result = new Float64Array(elementCount(dims));
  let start = 0;
  for (const one of inputs) {
    places(one.dims, strides, start * (strides[axis] ?? 1)).forEach((place, i) => {
      result[place] = at(one.numbers, i);
    });
    start += one.dims[axis] ?? 0;
  }
  return result;
};

const transpose: Kernel = ({ node }, [x]) =>
  x === undefined ? [] : transposed(x, intsAttr(node, 'perm') ?? [...x.dims.keys()].reverse()).numbers;

/** Its series: exact enough where the sum does not cancel, and beyond it is 1 to the last bit of a float. */
const erf = (x: number): number => {
  if (Math.abs(x) > 4) return Math.sign(x);
  let [sum, term] = [0, x];
  for (let n = 0; n < 80; n++) {
    sum += term / (2 * n + 1);
    term *= -(x * x) / (n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
};

const gelu: Kernel = (call, inputs, dims) => {
  const bent = (x: number): number => Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3));
  const bend = stringAttr(call.node, 'approximate', 'none') === 'tanh' ? bent : (x: number) => erf(x / Math.SQRT2);
  return elementwise((x) => (x / 2) * (1 + bend(x)))(call, inputs, dims);
};

/** Whatever only puts elements under another shape is copied. */
const single: Readonly<Record<string, Kernel>> = {
  ...Object.fromEntries(['Reshape', 'Unsqueeze', 'Squeeze', 'Flatten', 'Identity'].map((op) => [op, copied])),
  Add: elementwise(plus),
  Sub: elementwise((a, b) => a - b),
  Mul: elementwise((a, b) => a * b),
  Div: elementwise((a, b) => a / b),
  Max: elementwise(Math.max),
  Sum: elementwise((...all) => all.reduce(plus)),
  Equal: elementwise((a, b) => a === b),
  Less: elementwise((a, b) => a < b),
  LessOrEqual: elementwise((a, b) => a <= b),
  Greater: elementwise((a, b) => a > b),
  Where: elementwise((condition, a, b) => (condition === 0 ? b : a)),
  Expand: (_, [x], dims) => (x === undefined ? [] : picked(x.numbers, places(dims, repeating(x.dims, dims)))),
  Cast: copied,
  Neg: elementwise((x) => -x),
  Abs: elementwise(Math.abs),
  Exp: elementwise(Math.exp),
  Log: elementwise(Math.log),
  Sqrt: elementwise(Math.sqrt),
  Tanh: elementwise(Math.tanh),
  Erf: elementwise(erf),
  Gelu: gelu,
  Relu: elementwise((x) => Math.max(x, 0)),
  Sigmoid: elementwise((x) => 1 / (1 + Math.exp(-x))),
  Softplus: elementwise((x) => Math.log1p(Math.exp(x))),
  IsNaN: elementwise(Number.isNaN),
  Not: elementwise((x) => x === 0),
  DequantizeLinear: elementwise((x, scale, zero = 0) => (x - zero) * scale),
  ReduceSum: reduction(0, plus),
  ReduceMean: reduction(0, plus, (sum, count) => sum / count),
  ReduceMax: reduction(Number.NEGATIVE_INFINITY, Math.max),
  ReduceSumSquare: reduction(0, (sum, x) => sum + x * x),
  Softmax: softmax(false),
  LogSoftmax: softmax(true),
  MatMul: matMul,
  Gemm: gemm,
  Transpose: transpose,
  Gather: gather,
  Slice: slice,
  Concat: concat,
};

/** What the toy engine can, by operator. */
export const kernels: Readonly<Record<string, Kernels>> = {
  ...Object.fromEntries(
    Object.entries(single).map(([op, kernel]): [string, Kernels] => [op, (...given) => [kernel(...given)]]),
  ),
  LayerNormalization: layerNormalization,
};
