import type { GraphBuilder } from '../../graph/builder.ts';
import { type Node, type Value, value } from '../../graph/graph.ts';
import { byChannel, sizesOf } from '../../graph/ops/conv-gradient.ts';
import { entryOf, sizesVector, unsqueeze } from '../../graph/ops/shared-emit.ts';
import { intAttr, intsAttr } from '../../graph/ops/shared-structure.ts';
import { kernelAxes, seenBy } from '../../graph/ops/shared-unfold.ts';
import { walksOf } from '../../graph/ops/shared-walks.ts';

const operands = (node: Node): readonly Value[] => node.inputs.filter((input) => input !== null);

/** The operator itself in float32: its sizes are those of its parts. */
const inFloat32 = (b: GraphBuilder, node: Node): Value => {
  const y = value(`${node.outputs[0]}/float32`);
  const inputs = operands(node).map((input) => b.op('Cast', [input], { to: 1 }));
  b.add({ ...node, name: y, inputs, outputs: [y] });
  return y;
};

/** A convolution as a product of matrices. */
const convolution = (b: GraphBuilder, node: Node): Value => {
  const call = b.call(node);
  const [x, w, bias] = operands(node);
  if (x === undefined || w === undefined) throw new TypeError('a convolution has two inputs');
  const like = inFloat32(b, node);
  const sizes = sizesOf(call);
  const walks = walksOf(call, sizes.kernel);
  const { groups, kernels, channels, kernel } = sizes;
  const rows = b.op('Reshape', [w, b.ints([groups, kernels, kernel.reduce((a, n) => a * n, channels)])]);
  const product = b.op('MatMul', [rows, byChannel(b, x, like, walks, sizes)]); // (groups, kernels, batch * places)
  const places = walks.map((_, i) => entryOf(b, like, i + 2));
  const target = sizesVector(b, [groups * kernels, entryOf(b, like, 0), ...places]);
  const perm = [1, 0, ...walks.map((_, i) => i + 2)];
  const y = b.op('Transpose', [b.op('Reshape', [product, target])], { perm });
  if (bias === undefined) return y;
  const axes = walks.map((_, i) => i + 1);
  return b.op('Add', [y, unsqueeze(b, bias, axes)]);
};

/** Means over what each place sees, without padding unless that counts. */
const averages = (b: GraphBuilder, node: Node): Value => {
  const [x] = operands(node);
  if (x === undefined) throw new TypeError('a mean has an input');
  const walks = walksOf(b.call(node), intsAttr(node, 'kernel_shape') ?? []);
  const like = inFloat32(b, node);
  const sum = (v: Value): Value =>
    b.op('ReduceSum', [seenBy(b, v, like, walks), b.ints(kernelAxes(walks))], { keepdims: 0 });
  const ones = b.op('Expand', [b.scalar('float64', 1), b.op('Shape', [x])]);
  const all = walks.reduce((count, { kernel }) => count * kernel, 1);
  const counts = intAttr(node, 'count_include_pad', 0) === 1 ? b.scalar('float64', all) : sum(ones);
  return b.op('Div', [sum(x), counts]);
};

/** Operators that look at several elements a place, in parts that have a float64 kernel. */
export const windows: Readonly<Record<string, (b: GraphBuilder, node: Node) => Value>> = {
  Conv: convolution,
  AveragePool: averages,
};
