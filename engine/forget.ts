import { type Graph, indexOf, type Node, readingAs, readsOf, type Value } from '../graph/graph.ts';
import { stageError } from '../ground/errors.ts';
import { hiddenStatesOf } from '../models/anatomy/hidden-states.ts';
import { layerSpansOf } from '../models/anatomy/layers.ts';
import type { Model } from '../models/model.ts';
import type { Absorbed } from './absorb.ts';
import { again, nodesBehind, recomputed, sparedIn } from './recompute.ts';

const NO_LAYERS = 'recompute forgets layers and computes them once more, and the model shows none: leave recompute out';

/** Values of a step between which layers are forgotten: what the first layer reads, and the sum behind each block of every layer. */
const bordersIn = (model: Model, { resolve }: Pick<Absorbed, 'resolve'>): ReadonlySet<Value> => {
  const layers = layerSpansOf(model.graph);
  const sums = layers.flatMap(({ blocks }) => blocks.map(({ output }) => output));
  const borders =
    sums.length === 0 ? hiddenStatesOf(model) : [...layers.slice(0, 1).map(({ input }) => input), ...sums];
  if (borders.length === 0) throw stageError(NO_LAYERS);
  return new Set(borders.map(resolve));
};

/** Values that some of these reach, these among them. */
const reachedFrom = ({ nodes }: Graph, some: ReadonlySet<Value>): ReadonlySet<Value> => {
  const reached = new Set(some);
  for (const node of nodes) {
    if ([...readsOf(node)].some((read) => reached.has(read))) for (const output of node.outputs) reached.add(output);
  }
  return reached;
};

/**
 * Nodes of the forward pass between values that are kept, by what they make, and those beside that one of them alone reads, as the
 * masks of dropout: what all layers read, as the bias of padding, stays.
 */
const between = (graph: Graph, loss: Value, kept: ReadonlySet<Value>): ReadonlyMap<Value, Node> => {
  const { producer, users } = indexOf(graph);
  const below = reachedFrom(graph, kept);
  const forward = nodesBehind(graph, loss);
  const isBetween = (name: Value): boolean =>
    below.has(name) || users.get(name)?.filter((user) => forward.has(user)).length === 1;
  const lost = new Map<Value, Node>();
  const open = [...kept].flatMap((name) => producer.get(name) ?? []).flatMap(readsOf);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const node = producer.get(name);
    if (node === undefined || kept.has(name) || lost.has(name) || !forward.has(node) || !isBetween(name)) continue;
    for (const output of node.outputs) lost.set(output, node);
    open.push(...readsOf(node));
  }
  return lost;
};

/**
 * The same step with whole layers forgotten: of what lies between values that are kept, what the backward pass reads is computed
 * once more from these, where that pass comes to it. The copies are the same nodes: who compiles this merges no equal ones.
 *
 * Chen et al., Training Deep Nets with Sublinear Memory Cost, arXiv 1604.06174.
 */
const forgotten = (graph: Graph, loss: Value, kept: ReadonlySet<Value>): Graph => {
  const forward = nodesBehind(graph, loss);
  const lost = between(graph, loss, kept);
  const [copied, copies] = [new Set<Node>(), new Set<Node>()];
  const types = new Map(graph.types);
  const nameOf = (read: Value): Value => (lost.has(read) ? again(read) : read);
  /** The copies that a node is the first to read, the node itself left out. */
  const due = (node: Node): readonly Node[] =>
    node.inputs.flatMap((read) => {
      const made = read === null ? undefined : lost.get(read);
      if (made === undefined || copied.has(made)) return [];
      copied.add(made);
      for (const output of made.outputs) {
        const type = graph.types.get(output);
        if (type !== undefined) types.set(again(output), type);
      }
      const copy = {
        ...readingAs(made, nameOf),
        name: `${made.name}/again`,
        outputs: made.outputs.map((output) => (output === '' ? output : again(output))),
      };
      copies.add(copy);
      return [...due(made), copy];
    });
  const nodes = graph.nodes.flatMap((node) => (forward.has(node) ? [node] : [...due(node), readingAs(node, nameOf)]));
  return sparedIn({ ...graph, nodes, types }, new Set([...forward, ...copies]));
};

interface From {
  readonly model: Model;
  /** The model as the step has it. */
  readonly student: Pick<Absorbed, 'resolve'>;
  readonly recompute?: boolean | undefined;
}

/** A step that keeps less between its passes: without what is cheap to compute again, or without whole layers. */
export const withLessKept = (graph: Graph, loss: Value, { model, student, recompute }: From): Graph =>
  recompute === true ? forgotten(graph, loss, bordersIn(model, student)) : recomputed(graph, loss);
