import { type Graph, indexOf, type Node, readsOf, type Value } from '../../graph/graph.ts';
import { isFloating } from '../../graph/sites/content.ts';
import { isLearned, sitesAt } from '../../graph/sites.ts';
import { elementCount } from '../../graph/tensor.ts';
import { keepsNumbers } from './flow.ts';
import type { BareAxisKind, BareOutput, BareOutputRole, BareState } from './roles.ts';

/** Numbers of the model that a value is computed from. */
const weightsBehind = (graph: Graph, output: Value): number => {
  const { producer } = indexOf(graph);
  const seen = new Set<Value>();
  const open = [output];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    const node = producer.get(at);
    if (node !== undefined) open.push(...readsOf(node));
  }
  let count = 0;
  for (const [name, { dims }] of graph.weights) {
    if (seen.has(name) && isLearned(graph, name)) count += elementCount(dims);
  }
  return count;
};

/** Functions that make shares of scores. */
const choices: ReadonlySet<string> = new Set(['LogSoftmax', 'Sigmoid', 'Softmax']);

/** What a node only moves, shifts, scales or makes shares of; undefined where it does more. */
const movedBy = (graph: Graph, node: Node): Value | undefined => {
  const sites = sitesAt(graph, node);
  const vectors = new Set(
    sites.flatMap(({ use, weight }) => (use.kind === 'bias' || use.kind === 'scale' ? [weight] : [])),
  );
  const inputs = node.inputs.filter((input) => input !== null);
  const open = inputs.filter((input) => !graph.weights.has(input) && !vectors.has(input));
  if (vectors.size > 0) return open.length === 1 ? open[0] : undefined;
  const [first] = inputs;
  const moves = first !== undefined && keepsNumbers(graph, { node, position: 0, value: first });
  return moves || choices.has(node.op) ? first : undefined;
};

/** Whether an output is a product with a matrix, as scores of classes and words are. */
const isAnswer = (graph: Graph, output: Value): boolean => {
  const { producer } = indexOf(graph);
  for (let at: Value | undefined = output; at !== undefined; ) {
    const node = producer.get(at);
    if (node === undefined) return false;
    if (sitesAt(graph, node).some(({ use }) => use.kind === 'linear')) return true;
    at = movedBy(graph, node);
  }
  return false;
};

const roleOf = (graph: Graph, name: Value, presents: ReadonlySet<Value>): BareOutputRole => {
  const type = graph.types.get(name);
  if (presents.has(name)) return 'present';
  const rank = type?.shape?.length ?? 0;
  if (!isFloating(type?.dtype) || (rank !== 2 && rank !== 3)) return 'other';
  if (isAnswer(graph, name)) return 'scores';
  return rank === 3 ? 'hidden' : 'vector';
};

const kindsOf = (role: BareOutputRole, rank: number): readonly BareAxisKind[] => {
  if (role === 'present')
    return Array.from({ length: rank }, (_, axis) =>
      axis === rank - 4 ? 'batch' : axis === rank - 2 ? 'total' : 'width',
    );
  if (rank === 3) return ['batch', 'sequence', 'width'];
  return Array.from({ length: rank }, (_, axis) => (axis === 0 ? 'batch' : 'width'));
};

/** What each output tells. */
export const outputsOf = (graph: Graph, states: readonly BareState[]): readonly BareOutput[] => {
  const presents = new Set(states.flatMap(({ present }) => present ?? []));
  return graph.outputs.map((name) => {
    const role = roleOf(graph, name, presents);
    const shape = graph.types.get(name)?.shape ?? [];
    const kinds = kindsOf(role, shape.length);
    const axes = shape.map((size, axis) => ({ kind: kinds[axis] ?? 'width', size }));
    return { name, role, dtype: graph.types.get(name)?.dtype ?? 'float32', axes, weights: weightsBehind(graph, name) };
  });
};

/** What a model answers with: scores, or features of every position; a single vector only where there is nothing else. */
const order: readonly (readonly BareOutputRole[])[] = [['scores', 'hidden'], ['vector'], ['other', 'present']];

/** Of outputs that say as much, the one that depends on most weights; the first of equals. */
export const answerOf = (outputs: readonly BareOutput[]): Value | undefined => {
  for (const roles of order) {
    const those = outputs.filter(({ role }) => roles.includes(role));
    const most = Math.max(0, ...those.map(({ weights }) => weights));
    const found = those.find(({ weights }) => weights === most);
    if (found !== undefined) return found.name;
  }
  return undefined;
};
