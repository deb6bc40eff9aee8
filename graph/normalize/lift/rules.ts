import { attributesOf } from '../../call.ts';
import type { Node, Value } from '../../graph.ts';
import { vector } from '../../tensor.ts';
import { attributeOf, type Lift, type Scope, withInputs, withoutAttributes } from './rule.ts';

/** The integers of an attribute as a weight, exactly as the file has them; null where there is none. */
const integers = (node: Node, name: string, scope: Scope): Value | null => {
  const list = attributeOf(node, name, 'ints');
  return list === undefined ? null : scope.weight(name, vector('int64', list.exact ?? list.value));
};

/** Lists of integers that are inputs since. */
const asInputs =
  (...names: readonly string[]) =>
  (node: Node, scope: Scope): Node =>
    withoutAttributes(withInputs(node, ...names.map((name) => integers(node, name, scope))), ...names);

/** One number in the type of the first input. */
const numberLike = (node: Node, scope: Scope, what: string, number: number): Value => {
  const [x] = node.inputs;
  const dtype = x == null ? 'float32' : scope.type(x)?.dtype;
  return scope.weight(what, vector(dtype === 'float64' ? 'float64' : 'float32', [number], []));
};

const bounds = (node: Node, scope: Scope): Node => {
  const named = ['min', 'max'].map((name) => {
    const number = attributeOf(node, name, 'float')?.value ?? attributeOf(node, name, 'int')?.value;
    return number === undefined ? null : numberLike(node, scope, name, number);
  });
  return withoutAttributes(withInputs(node, ...named), 'min', 'max');
};

const pads = (node: Node, scope: Scope): Node => {
  const fill = attributeOf(node, 'value', 'float')?.value ?? 0;
  const filled = fill === 0 ? null : numberLike(node, scope, 'fill', fill);
  return withoutAttributes(withInputs(node, integers(node, 'pads', scope), filled), 'pads', 'value');
};

const count = (node: Node, scope: Scope): Node => {
  const k = attributeOf(node, 'k', 'int')?.value ?? 1;
  return withoutAttributes(withInputs(node, scope.weight('k', vector('int64', [k]))), 'k');
};

/** Nothing is dropped once training is over, at whatever rate. */
const rate = (node: Node): Node => withoutAttributes(node, 'ratio', 'is_test');

const parts = (node: Node): Node => {
  if (node.inputs[1] != null || node.attrs.num_outputs !== undefined) return node;
  return { ...node, attrs: { ...node.attrs, ...attributesOf({ num_outputs: node.outputs.length }) } };
};

/** All axes from one on summed to one together: along that axis alone where it is the last, else over rows made of them. */
const flattened = (node: Node, scope: Scope): Node => {
  const [x] = node.inputs;
  const axis = attributeOf(node, 'axis', 'int')?.value ?? 1;
  const rank = x == null ? undefined : scope.type(x)?.shape?.length;
  const last = { ...node, attrs: { ...node.attrs, ...attributesOf({ axis: -1 }) } };
  if (x == null || axis === -1 || (rank !== undefined && axis === rank - 1)) return last;
  const rows = scope.node('Flatten', [x], { axis }); // (before the axis, from it on)
  const shares = scope.node(node.op, [rows], { axis: -1 });
  const target = scope.node('Shape', [x]);
  return { ...node, op: 'Reshape', inputs: [shares, target], attrs: attributesOf({ allowzero: 1 }) };
};

/** Sizes times scales, where every place takes the one before it. */
const resized = (node: Node, scope: Scope): Node => {
  const list = attributeOf(node, 'scales', 'floats') ?? attributeOf(node, 'scales', 'ints');
  const scales = node.inputs[1] ?? (list === undefined ? null : scope.weight('scales', vector('float32', list.value)));
  const asked = attributesOf({ coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' });
  const plain = withoutAttributes(withInputs(node, null, scales), 'scales');
  return { ...plain, op: 'Resize', attrs: { ...plain.attrs, ...asked } };
};

/** Sizes and scales are never both there. */
const sizesAlone = (node: Node): Node => {
  const [, , , sizes] = node.inputs;
  return sizes == null ? node : withInputs(node, null, null, sizes);
};

const means = (node: Node): Node => withoutAttributes(node, 'spatial');

const axes = asInputs('axes');

const reductions = [
  ...['ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceProd', 'ReduceSumSquare'],
  ...['ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp'],
];
const shares: readonly Lift[] = [{ before: 13, write: flattened }];

/** What changed in how operators are written since operator set 7, by operator, the earliest change first. */
export const lifts: Readonly<Record<string, readonly Lift[]>> = {
  ReduceSum: [{ before: 13, write: axes }],
  ...Object.fromEntries(reductions.map((op) => [op, [{ before: 18, write: axes }]])),
  Squeeze: [{ before: 13, write: axes }],
  Unsqueeze: [{ before: 13, write: axes }],
  Split: [
    { before: 13, write: asInputs('split') },
    { before: 18, write: parts },
  ],
  Slice: [{ before: 10, write: asInputs('starts', 'ends', 'axes') }],
  Pad: [{ before: 11, write: pads }],
  Clip: [{ before: 11, write: bounds }],
  TopK: [{ before: 10, write: count }],
  Dropout: [{ before: 12, write: rate }],
  Softmax: shares,
  LogSoftmax: shares,
  Hardmax: shares,
  Scatter: [{ before: 11, write: (node) => ({ ...node, op: 'ScatterElements' }) }],
  Upsample: [{ before: 10, write: resized }],
  Resize: [
    { before: 11, write: resized },
    { before: 13, write: sizesAlone },
  ],
  BatchNormalization: [{ before: 9, write: means }],
};

/** Operators that mean something else since, in ways that are not written here: a graph with such a one stays in its operator set. */
export const unlifted: Readonly<Record<string, number>> = { RoiAlign: 16, GridSample: 20, DFT: 20, Scan: 9 };
