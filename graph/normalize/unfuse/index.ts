import { GraphBuilder } from '../../builder.ts';
import type { Graph, Node, Value } from '../../graph.ts';
import type { Pass } from '../pass.ts';
import { embedLayerNormalization } from './embedding.ts';
import type { Fused, Unfusion } from './fused.ts';
import { fusedGemm } from './fused-gemm.ts';
import { fusedMatMul } from './fused-matmul.ts';
import { gelus, quickGelu } from './gelu.ts';
import { groupQueryAttention } from './grouped-query.ts';
import { multiHeadAttention } from './multi-head.ts';
import { packedAttention } from './packed-attention.ts';
import { relativePositionBias } from './relative-position.ts';
import { rmsNormalization, simplifiedLayerNormalization } from './root-mean-square.ts';
import { contribRotaryEmbedding, rotaryEmbedding } from './rotary.ts';
import { skipLayerNormalization, skipSimplifiedLayerNormalization } from './skip-normalization.ts';
import { standardAttention } from './standard-attention.ts';

/** Every fused operator that is taken apart, one record each. */
export const unfusions: readonly Unfusion[] = [
  skipLayerNormalization,
  skipSimplifiedLayerNormalization,
  rmsNormalization,
  simplifiedLayerNormalization,
  embedLayerNormalization,
  ...gelus,
  quickGelu,
  fusedGemm,
  fusedMatMul,
  packedAttention,
  multiHeadAttention,
  groupQueryAttention,
  standardAttention,
  relativePositionBias,
  rotaryEmbedding,
  contribRotaryEmbedding,
];

const keyOf = ({ domain, op }: Pick<Node, 'domain' | 'op'>): string => `${domain}:${op}`;

const byOperator: ReadonlyMap<string, Unfusion> = new Map(unfusions.map((one) => [keyOf(one), one]));

/** Writes the parts of one node; false where it stays as it is. */
const takenApart = (builder: GraphBuilder, graph: Graph, node: Node, derived: Fused['derived']): boolean => {
  const plan = byOperator.get(keyOf(node))?.plan({ builder, graph, node, derived });
  if (plan === undefined) return false;
  builder.within(node.outputs.find((output) => output !== '') ?? node.name, plan);
  return true;
};

const run = (graph: Graph): Graph => {
  if (!graph.nodes.some((node) => byOperator.has(keyOf(node)))) return graph;
  const builder = GraphBuilder.like(graph);
  const derived = new Map<string, readonly Value[]>();
  let changed = false;
  for (const node of graph.nodes) {
    if (takenApart(builder, graph, node, derived)) changed = true;
    else builder.add(node, (output) => graph.types.get(output));
  }
  return changed ? builder.freeze(graph.outputs) : graph;
};

/**
 * Operators that optimizers fused, in the standard ones that exporters write: whoever reads, cuts or differentiates a graph
 * then needs no name of them.
 */
export const unfuse: Pass = {
  name: 'unfuse',
  run,
  changes: unfusions.flatMap(({ domain, op, changes }) =>
    changes.map((sample) => ({ ...sample, name: `${domain === '' ? '' : `${domain}:`}${op}, ${sample.name}` })),
  ),
  leaves: unfusions.flatMap(({ op, leaves }) => leaves.map((sample) => ({ ...sample, name: `${op}, ${sample.name}` }))),
};
