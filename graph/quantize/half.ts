import { GraphBuilder } from '../builder.ts';
import { dtypeCodes } from '../codec/dtypes.ts';
import { inFloat16 } from '../float16.ts';
import type { Graph, Node, Value } from '../graph.ts';
import { asHalves } from '../halves.ts';
import { intAttr } from '../ops/shared-structure.ts';
import { float32Of } from '../tensor.ts';
import { readsBlocks } from './stored.ts';

/** The float weight that a node makes float16 of. */
const narrowed = (graph: Graph, node: Node): Value | undefined => {
  const {
    op,
    domain,
    inputs: [name],
  } = node;
  const isNarrowing = op === 'Cast' && domain === '' && intAttr(node, 'to', 0) === dtypeCodes.float16;
  return isNarrowing && name != null && graph.weights.get(name)?.dtype === 'float32' ? name : undefined;
};

/** What float16 reaches. */
const LARGEST = 65_504;

/** Scales of weights in blocks that reach beyond what float16 holds, though each scale lies within it. */
const farScales = (graph: Graph): readonly Value[] =>
  graph.nodes.filter(readsBlocks).flatMap((node) => {
    const scales = node.inputs[2];
    const tensor = scales == null ? undefined : graph.weights.get(scales);
    if (scales == null || tensor?.dtype !== 'float32') return [];
    const largest = float32Of(tensor).reduce((most, scale) => Math.max(most, Math.abs(scale)), 0);
    return largest * 2 ** intAttr(node, 'bits', 4) > LARGEST ? [scales] : [];
  });

/**
 * A graph that computes in float16 and stores the weights of it so; `wide` values, what adds up many numbers, and vectors of
 * norms stay in float32. Inputs and outputs keep their types.
 */
export const storedInHalves = (graph: Graph, wide: ReadonlySet<Value>): Graph => {
  const halved = inFloat16(graph, { stored: true, wide: new Set([...wide, ...farScales(graph)]) });
  const builder = GraphBuilder.like(halved);
  for (const node of halved.nodes) {
    const name = narrowed(halved, node);
    const tensor = name === undefined ? undefined : halved.weights.get(name);
    const [output] = node.outputs;
    if (tensor === undefined || output === undefined) builder.add(node, (value) => halved.types.get(value));
    else builder.weight(output, asHalves(tensor), name === undefined ? [] : [name]);
  }
  return builder.freeze(halved.outputs);
};
