import { modelError } from '../ground/errors.ts';
import { callOf } from './call.ts';
import { irVersion } from './codec/encode.ts';
import type { Graph } from './graph.ts';
import { findOp } from './ops/index.ts';

/**
 * The newest operator set and file format that minor versions of ONNX Runtime 1 load: measured with onnxruntime-node from
 * 1.14 to 1.30, a file of one Add for every pair of both. What lies between two rows is as the row before.
 */
const releases = [
  { minor: 14, opset: 18, format: 8 },
  { minor: 15, opset: 19, format: 9 },
  { minor: 17, opset: 20, format: 9 },
  { minor: 18, opset: 21, format: 10 },
  { minor: 21, opset: 22, format: 10 },
  { minor: 23, opset: 23, format: 11 },
  { minor: 24, opset: 25, format: 12 },
] as const;

const NEWEST_OPSET = Math.max(...releases.map(({ opset }) => opset));

/** Operators of com.microsoft were tried from this version on. */
const OLDEST_CONTRIBUTED = 17;

/** What a graph asks of ONNX Runtime. */
export interface RuntimeNeed {
  /** Minor version of ONNX Runtime 1, the oldest that loads the graph and gives the same answers. */
  readonly minor: number;
  readonly opset: number;
  readonly format: number;
}

/** What the operators of a graph need beside its operator set. */
const operatorNeeds = (graph: Graph): readonly number[] => {
  const known = { type: graph.types.get.bind(graph.types), weight: graph.weights.get.bind(graph.weights) };
  return graph.nodes.flatMap((node) => {
    const opset = graph.opsets[node.domain] ?? 1;
    const call = callOf(node, opset, { ...known, ints: () => undefined });
    return findOp(node.domain, node.op, opset)?.runtime?.(call) ?? (node.domain === '' ? [] : OLDEST_CONTRIBUTED);
  });
};

/** The oldest ONNX Runtime for a graph, from its operator set, the format of its file and its operators. */
export const runtimeNeed = (graph: Graph): RuntimeNeed => {
  const opset = graph.opsets[''] ?? 1;
  const format = irVersion(opset);
  const release = releases.find((one) => one.opset >= opset && one.format >= format);
  if (release === undefined) {
    throw modelError(
      `no ONNX Runtime is known that loads operator set ${opset} in a file of format ${format}; expected at most operator set ${NEWEST_OPSET}: export the model for that one`,
    );
  }
  return { minor: Math.max(release.minor, ...operatorNeeds(graph)), opset, format };
};
