import { GraphBuilder } from '../../graph/builder.ts';
import { concreteView } from '../../graph/concrete.ts';
import { type Graph, indexOf, type Node, type Value, value } from '../../graph/graph.ts';
import { sitesAt } from '../../graph/sites.ts';
import { isRefusal, modelError } from '../../ground/errors.ts';
import { layerSpansOf } from '../anatomy/layers.ts';

const shapeText = (graph: Graph, name: Value): string => graph.types.get(name)?.shape?.join() ?? '';

const uses = (graph: Graph, node: Node, kind: string): boolean =>
  sitesAt(graph, node).some(({ use }) => use.kind === kind);

/** Nodes behind a value up to the first matrix, in order. */
const beforeMatrix = (graph: Graph, from: Value): readonly Node[] => {
  const reached = new Set<Value>([from]);
  const found: Node[] = [];
  for (const node of graph.nodes) {
    if (!node.inputs.some((input) => input !== null && reached.has(input)) || uses(graph, node, 'linear')) continue;
    for (const output of node.outputs) reached.add(output);
    found.push(node);
  }
  return found;
};

/** The stream behind the last norm that stands between the last layer and the first matrix of a head. */
const normed = (graph: Graph, last: Value): Value => {
  const behind = beforeMatrix(graph, last);
  const norms = behind.filter((node) => uses(graph, node, 'norm') || uses(graph, node, 'scale'));
  const norm = norms.at(-1)?.outputs[0];
  if (norm === undefined || shapeText(graph, norm) !== shapeText(graph, last)) return last;
  const users = indexOf(graph).users.get(norm) ?? [];
  const [bias] = users.length === 1 ? users : [];
  return bias !== undefined && uses(graph, bias, 'bias') ? (bias.outputs[0] ?? norm) : norm;
};

/** Sizes that symbols leave open can hide the sum that ends the last layer. */
const seen = (graph: Graph): Graph => {
  try {
    return concreteView(graph);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return graph;
  }
};

/** The features of every position that a graph computes on the way to its answer, (batch, sequence, width). */
export const featuresOf = (given: Graph): Value => {
  const graph = seen(given);
  const last = layerSpansOf(graph).at(-1)?.output;
  if (last === undefined || graph.types.get(last)?.shape?.length !== 3)
    throw modelError(
      'the graph shows no layers of a Transformer, so nobody can tell its features from its head: name an output with `output`, or keep its head',
    );
  return normed(graph, last);
};

/** The graph with one of its values under another name, which was free. */
export const named = (graph: Graph, from: Value, to: string): Graph => {
  if (from === to || graph.types.has(value(to))) return graph;
  const other = <N extends Value | null>(name: N): N | Value => (name === from ? value(to) : name);
  return {
    ...graph,
    nodes: graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(other),
      outputs: node.outputs.map(other),
    })),
    outputs: graph.outputs.map(other),
    types: new Map([...graph.types].map(([name, type]) => [other(name), type])),
  };
};

/** The graph that gives these values alone. */
export const giving = (graph: Graph, outputs: readonly Value[]): Graph => GraphBuilder.from(graph).freeze(outputs);
