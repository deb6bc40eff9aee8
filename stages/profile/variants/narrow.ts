import { type Node, type Value, value } from '../../../graph/graph.ts';
import { elementCount, type Tensor } from '../../../graph/tensor.ts';
import type { Product } from '../products.ts';
import { recordedOf } from '../record.ts';
import type { Subject } from './variant.ts';

const bytesAs = (tensor: Tensor, dims: readonly number[], bytes: Uint8Array): Tensor => ({
  dtype: tensor.dtype,
  dims,
  bytes: { length: bytes.length, read: () => bytes },
});

/** The first rows of a matrix. */
const firstRows = (tensor: Tensor, keep: number): Tensor => {
  const [rows = 1, columns = 1] = tensor.dims;
  const bytes = tensor.bytes.read();
  return bytesAs(tensor, [keep, columns], bytes.slice(0, (keep * bytes.length) / rows));
};

/** The first elements along the last axis. */
const firstColumns = (tensor: Tensor, keep: number): Tensor => {
  const bytes = tensor.bytes.read();
  const width = tensor.dims.at(-1) ?? 1;
  const rows = elementCount(tensor.dims) / width;
  const stride = bytes.length / rows;
  const parts = Array.from({ length: rows }, (_, r) =>
    bytes.subarray(r * stride, r * stride + (keep * stride) / width),
  );
  return bytesAs(tensor, [...tensor.dims.slice(0, -1), keep], Buffer.concat(parts));
};

/** A product as it would be with fewer inputs: the same kernel on the first of them and on their rows of the weight. */
export const narrowed = (
  { recorded }: Subject,
  product: Product,
  inputs: number,
  weights: Map<Value, Tensor>,
): Node => {
  const { node, weight, tensor, turned } = product;
  const keep = Math.max(1, inputs);
  const [activation] = node.inputs;
  if (activation == null) return node;
  const [x, w] = [value(`${node.name}/input/narrow`), value(`${weight}/${node.name}/narrow`)];
  weights.set(x, firstColumns(recordedOf(recorded, activation), keep));
  weights.set(w, turned ? firstColumns(tensor, keep) : firstRows(tensor, keep));
  return { ...node, inputs: [x, w, ...node.inputs.slice(2)] };
};
