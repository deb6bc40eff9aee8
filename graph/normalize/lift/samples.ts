import { GraphBuilder } from '../../builder.ts';
import { attributesOf } from '../../call.ts';
import { type Dim, symbol } from '../../dim.ts';
import { type Graph, type Value, value } from '../../graph.ts';
import type { AttributeInput } from '../../op.ts';
import { tensorOf, vector } from '../../tensor.ts';
import type { Pass, PassSample } from '../pass.ts';

type Old = (b: GraphBuilder, x: Value) => Value;

const graphOf = (opset: number, old: Old, dims: readonly Dim[] = [symbol('batch'), 3, 4]): Graph => {
  const builder = new GraphBuilder('old', { '': opset });
  const x = builder.input('x', 'float32', dims);
  return builder.freeze([builder.op('Neg', [old(builder, x)], {}, 'y')]);
};

/** A node as the file has it: the builder would put it into the form of its operator set. */
const written = (
  b: GraphBuilder,
  op: string,
  inputs: readonly (Value | null)[],
  attrs: AttributeInput,
  outputs = 1,
): Value => {
  const names = Array.from({ length: outputs }, (_, i) => value(`${op}.${i}`));
  b.add({ op, domain: '', name: op, inputs, outputs: names, attrs: attributesOf(attrs) });
  return names[0] ?? value(op);
};

const INT64_END = 2 ** 63;

const one =
  (op: string, attrs: AttributeInput): Old =>
  (b, x) =>
    written(b, op, [x], attrs);

const places: Old = (b, x) => {
  const at = b.weight('at', tensorOf('int64', [1, 1, 4], BigInt64Array.of(0n, 2n, 1n, 0n)));
  const like = b.op('Slice', [x, b.ints([0]), b.ints([1]), b.ints([0])]);
  const row = b.op('Slice', [like, b.ints([0]), b.ints([1]), b.ints([1])]);
  return written(b, 'Scatter', [x, at, row], { axis: 1 });
};

const scaled =
  (op: string): Old =>
  (b, x) =>
    written(b, op, [x, b.weight('scales', vector('float32', [1, 1, 2, 3]))], { mode: 'nearest' });

const cases: readonly (readonly [string, number, Old])[] = [
  ['sums over axes', 11, one('ReduceSum', { axes: [1], keepdims: 0 })],
  ['means over axes', 13, one('ReduceMean', { axes: [-1], keepdims: 1 })],
  ['the largest of all', 17, one('ReduceMax', { keepdims: 0 })],
  ['axes that come', 11, one('Unsqueeze', { axes: [0, 2] })],
  ['axes that go', 11, (b, x) => written(b, 'Squeeze', [written(b, 'Unsqueeze', [x], { axes: [1] })], { axes: [1] })],
  ['parts of named sizes', 11, (b, x) => written(b, 'Split', [x], { axis: 1, split: [1, 2] }, 2)],
  ['equal parts', 13, (b, x) => written(b, 'Split', [x], { axis: 2 }, 2)],
  ['a stretch to the end', 9, one('Slice', { axes: [1, 2], starts: [1, -3], ends: [INT64_END, -1] })],
  ['a border', 10, one('Pad', { pads: [0, 1, 0, 0, 0, 2], value: { float: 0.5 } })],
  ['bounds', 10, one('Clip', { min: { float: -0.5 }, max: { float: 1 } })],
  ['one bound', 9, one('Clip', { max: { float: 0.25 } })],
  ['the largest few', 9, (b, x) => written(b, 'TopK', [x], { axis: 2, k: 2 }, 2)],
  ['Dropout with a rate', 11, one('Dropout', { ratio: { float: 0.3 } })],
  ['shares of all axes from the second on', 11, one('Softmax', {})],
  ['shares along the last axis', 11, one('Softmax', { axis: 2 })],
  ['logarithms of shares', 12, one('LogSoftmax', { axis: 1 })],
  ['writes in places', 10, places],
];

const image = [symbol('batch'), 1, 2, 3];

const changed: readonly PassSample[] = [
  ...cases.map(([name, opset, old]) => ({ name, graph: () => graphOf(opset, old) })),
  { name: 'a picture made larger', graph: () => graphOf(9, scaled('Upsample'), image) },
  { name: 'a picture of another size', graph: () => graphOf(10, scaled('Resize'), image) },
];

/** Every form that changed, in the newest operator set that still has it. */
export const liftSamples: Pick<Pass, 'changes' | 'leaves'> = {
  changes: changed,
  leaves: [
    { name: 'operator set 20', graph: () => graphOf(20, (b, x) => b.op('Relu', [x])) },
    { name: 'a newer operator set', graph: () => graphOf(21, (b, x) => b.op('Relu', [x])) },
  ],
};
