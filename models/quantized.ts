import { type Graph, opsetOf } from '../graph/graph.ts';
import { findOp } from '../graph/ops/index.ts';

/** Whether a graph computes with activations that are quantized at run time: its results then depend on the batch. */
export const isQuantized = ({ nodes, opsets }: Graph): boolean =>
  nodes.some(({ domain, op }) => findOp(domain, op, opsetOf(opsets, domain))?.batchDependent === true);
