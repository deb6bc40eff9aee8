import type { BrokenAttention, FusedAttention } from '../../data/profile.ts';
import { attentionsOf, isActivationProduct, isFusedAttention } from '../../graph/attention.ts';
import { type Graph, indexOf, type Node } from '../../graph/graph.ts';
import { inferenceRules } from '../../graph/rewrite/index.ts';
import { matchesAt } from '../../graph/rewrite/pattern.ts';
import { intAttribute } from './products.ts';
import { headWidth } from './variants/heads.ts';
import type { Subject } from './variants/variant.ts';

const named = (node: Node): string => `${node.op} '${node.name}'`;

const usersOf = (graph: Graph, node: Node): readonly Node[] =>
  node.outputs.flatMap((output) => indexOf(graph).users.get(output) ?? []);

const producersOf = (graph: Graph, node: Node): readonly Node[] =>
  node.inputs.flatMap((input) => (input === null ? [] : (indexOf(graph).producer.get(input) ?? [])));

/** Who else reads a result that a fused node would no longer have. */
const leak = (graph: Graph, node: Node): string | undefined => {
  if (node.outputs.some((output) => graph.outputs.includes(output))) return `${named(node)} is an output of the graph`;
  const users = usersOf(graph, node);
  return users.length > 1 ? `${named(node)} is also read by ${named(users[1] ?? node)}` : undefined;
};

/** Follows single users of the expected operators from a node on; the first that is another one is the reason. */
const downwards = (graph: Graph, from: Node, expected: readonly string[], end?: Node): string | undefined => {
  let at = from;
  for (const op of expected) {
    const leaking = leak(graph, at);
    if (leaking !== undefined) return leaking;
    const next = usersOf(graph, at)[0];
    if (next?.op !== op) return `${next === undefined ? 'nothing' : named(next)} follows ${named(at)}, not ${op}`;
    at = next;
  }
  return end === undefined ? undefined : leak(graph, at);
};

const scaleOrMask: ReadonlySet<string> = new Set(['Add', 'Where', 'Mul', 'Div']);

/** The way up from the softmax to the product of queries and keys: only scales and masks may stand there. */
const upwards = (graph: Graph, softmax: Node, pieces: ReadonlySet<Node>): { product?: Node; reason?: string } => {
  let at = softmax;
  for (;;) {
    const next = producersOf(graph, at).find((node) => pieces.has(node));
    if (next === undefined) return { reason: `${named(at)} does not come from a product of queries and keys` };
    if (isActivationProduct(graph, next)) return { product: next };
    if (!scaleOrMask.has(next.op)) return { reason: `${named(next)} stands between the scores and ${named(softmax)}` };
    const leaking = leak(graph, next);
    if (leaking !== undefined) return { reason: leaking };
    at = next;
  }
};

/** One operand of the scores: scales and turns of a Reshape that splits heads. */
const operand = (graph: Graph, product: Node, position: number): string | undefined => {
  let at: Node = product;
  let turned = false;
  for (
    let input = product.inputs[position];
    input != null;
    input = at.inputs.find((v) => v !== null && !graph.weights.has(v))
  ) {
    const next = indexOf(graph).producer.get(input);
    const role = position === 0 ? 'queries' : 'keys';
    if (next === undefined) return `the ${role} of ${named(product)} are an input, not split into heads here`;
    if (next.op === 'Reshape' && turned) return undefined;
    if (next.op === 'Transpose') turned = true;
    else if (next.op !== 'Mul' && next.op !== 'Div') {
      return `${named(next)} stands between the split into heads and ${named(product)} on the side of the ${role}`;
    }
    at = next;
  }
  return undefined;
};

/** What the rule itself says where the pattern fits and it holds back. */
const heldBack = (graph: Graph, softmax: Node): string | undefined => {
  const rule = inferenceRules.find(({ name }) => name === 'attention');
  for (const root of graph.nodes) {
    for (const match of rule === undefined ? [] : matchesAt(graph, rule.pattern, root)) {
      if (match.nodes.has(softmax)) return rule?.why(match);
    }
  }
  return undefined;
};

/** Why the attention around a softmax is not one node: the first node that is not as the pattern wants it. */
const reasonOf = (graph: Graph, softmax: Node, pieces: ReadonlySet<Node>): string => {
  const below = downwards(graph, softmax, ['MatMul', 'Transpose', 'Reshape']);
  if (below !== undefined) return below;
  const { product, reason } = upwards(graph, softmax, pieces);
  if (product === undefined) return reason ?? 'no product of queries and keys was found';
  const turned = operand(graph, product, 0) ?? operand(graph, product, 1);
  return turned ?? heldBack(graph, softmax) ?? 'no single node was named by the pattern';
};

/** Attention that still runs in pieces in the optimised graph, explained on the graph before any fusion. */
export const brokenAttention = (optimized: Graph, unfused: Graph): readonly BrokenAttention[] => {
  const before = attentionsOf(unfused);
  return attentionsOf(optimized).map(({ softmax }, i) => {
    const original = before.find((pieces) => pieces.softmax.name === softmax.name) ?? before[i];
    const reason =
      original === undefined
        ? 'its pieces were not found in the model'
        : reasonOf(unfused, original.softmax, original.nodes);
    return { node: softmax.name, reason };
  });
};

/** Heads and their width of every fused attention. */
export const fusedAttentions = (subject: Subject): readonly FusedAttention[] =>
  subject.graph.nodes.flatMap((node) => {
    const heads = intAttribute(node, 'num_heads');
    if (heads === undefined || !isFusedAttention(node)) return [];
    return [{ node: node.name, heads, width: headWidth(subject, node) }];
  });
