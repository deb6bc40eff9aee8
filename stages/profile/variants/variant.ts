import type { Counterfactual, NodeGroup } from '../../../data/profile.ts';
import type { Graph, Node } from '../../../graph/graph.ts';
import { elementCount, newArray, type Tensor, tensorOf } from '../../../graph/tensor.ts';
import type { Recorded } from '../record.ts';

/** A model as ONNX Runtime runs it, with what its nodes are for and what they put out. */
export interface Subject {
  readonly graph: Graph;
  readonly groups: ReadonlyMap<Node, NodeGroup>;
  readonly recorded: Recorded;
}

/** One way to change a graph; undefined where there is nothing of the kind to change. */
export interface Variant {
  readonly name: Counterfactual;
  make(subject: Subject): Graph | undefined;
}

/** Numbers in -0.5 .. 0.5 that depend on nothing: kernels take the same time for all, denormals apart. */
export const noise = (dims: readonly number[]): Tensor => {
  const data = newArray('float32', elementCount(dims));
  for (let i = 0; i < data.length; i++) data[i] = ((i * 7919) % 1009) / 1009 - 0.5;
  return tensorOf('float32', dims, data);
};

/** The same for 8-bit weights. */
export const integerNoise = (dims: readonly number[]): Tensor =>
  tensorOf(
    'int8',
    dims,
    Int8Array.from({ length: elementCount(dims) }, (_, i) => ((i * 7919) % 255) - 127),
  );
