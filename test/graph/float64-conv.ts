import type { GraphBuilder } from '../../graph/builder.ts';
import { type Node, type Value, value } from '../../graph/graph.ts';
import { byChannel, sizesOf, walksOf } from '../../graph/ops/conv-gradient.ts';
import { entryOf, sizesVector, unsqueeze } from '../../graph/ops/shared-emit.ts';

/** A convolution as a product of matrices. Its sizes come from the operator itself, in float32. */
export const convolution = (b: GraphBuilder, node: Node): Value => {
  const call = b.call(node);
  const [x, w, bias] = node.inputs;
  if (x == null || w == null) throw new TypeError('a convolution has two inputs');
  const like = value(`${node.outputs[0]}/float32`);
  const singles = [x, w].map((side) => b.op('Cast', [side], { to: 1 }));
  b.add({ ...node, name: like, inputs: singles, outputs: [like] });
  const [sizes, walks] = [sizesOf(call), walksOf(call)];
  const { groups, kernels, channels, kernel } = sizes;
  const rows = b.op('Reshape', [w, b.ints([groups, kernels, kernel.reduce((a, n) => a * n, channels)])]);
  const product = b.op('MatMul', [rows, byChannel(b, x, like, walks, sizes)]); // (groups, kernels, batch * places)
  const places = walks.map((_, i) => entryOf(b, like, i + 2));
  const target = sizesVector(b, [groups * kernels, entryOf(b, like, 0), ...places]);
  const perm = [1, 0, ...walks.map((_, i) => i + 2)];
  const y = b.op('Transpose', [b.op('Reshape', [product, target])], { perm });
  if (bias == null) return y;
  const axes = walks.map((_, i) => i + 1);
  return b.op('Add', [y, unsqueeze(b, bias, axes)]);
};
