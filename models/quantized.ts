import { dtypeCodes } from '../graph/codec/dtypes.ts';
import { type Graph, indexOf, type Node, opsetOf, type Value } from '../graph/graph.ts';
import { isFewBits } from '../graph/normalize/encoded.ts';
import { findOp } from '../graph/ops/index.ts';
import { intAttr } from '../graph/ops/shared-structure.ts';
import { readsBlocks } from '../graph/quantize/stored.ts';

const quantizesActivations = ({ domain, op }: Node, { opsets }: Graph): boolean =>
  findOp(domain, op, opsetOf(opsets, domain))?.batchDependent === true;

/** Makes floats of what it reads. */
const widens = (node: Node): boolean =>
  node.op === 'DequantizeLinear' || (node.op === 'Cast' && intAttr(node, 'to', 0) === dtypeCodes.float32);

/** A weight in few bits, or rows of one. */
const isStored = (name: Value | null | undefined, graph: Graph): boolean => {
  if (name == null) return false;
  const { op, inputs: [table = null] = [] } = indexOf(graph).producer.get(name) ?? {};
  return isFewBits(graph.weights.get(op === 'Gather' && table !== null ? table : name)?.dtype);
};

/** Whether a graph stores weights in 8 bits or fewer, be it those of products or a table alone: it cannot be trained or cut. */
export const isQuantized = (graph: Graph): boolean =>
  graph.nodes.some(
    (node) =>
      readsBlocks(node) || quantizesActivations(node, graph) || (widens(node) && isStored(node.inputs[0], graph)),
  );

/** How texts are put together: one by one where activations are quantized over a whole batch, so that neighbours would count. */
export const batchingOf = (graph: Graph): 'single' | 'length' =>
  graph.nodes.some((node) => quantizesActivations(node, graph)) ? 'single' : 'length';
