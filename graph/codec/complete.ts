import { isRefusal, isUserError } from '../../ground/errors.ts';
import { type Graph, type Node, readsOf, type TensorType, type Value } from '../graph.ts';
import { codecError } from './dtypes.ts';
import { settledTypes } from './settle.ts';

/** Checks that every value is computed exactly once and orders the nodes, keeping the given order where it works. */
const ordered = (graph: Graph): readonly Node[] => {
  const inputs = new Set(graph.inputs);
  const producer = new Map<Value, Node>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) {
      if (output === '') continue;
      if (producer.has(output) || graph.weights.has(output) || inputs.has(output)) {
        throw codecError(`the value '${output}' is defined twice`);
      }
      producer.set(output, node);
    }
  }
  const done = new Set<Node>();
  const open = new Set<Node>();
  const order: Node[] = [];
  // An explicit stack: graphs may be deeper than the call stack.
  const visit = (root: Node): void => {
    const stack = [root];
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      if (done.has(node)) {
        stack.pop();
        continue;
      }
      const missing: Node[] = [];
      for (const name of readsOf(node)) {
        const source = producer.get(name);
        if (source === undefined) known(graph, inputs, node, name);
        else if (!done.has(source)) missing.push(source);
      }
      if (missing.length === 0) {
        stack.pop();
        done.add(node);
        order.push(node);
      } else if (open.has(node)) {
        throw codecError(`the graph has a cycle through '${node.outputs[0]}' (${node.op})`);
      } else {
        open.add(node);
        stack.push(...missing.reverse());
      }
    }
  };
  graph.nodes.forEach(visit);
  return order;
};

const known = (graph: Graph, inputs: ReadonlySet<Value>, node: Node, name: Value): void => {
  if (graph.weights.has(name) || inputs.has(name)) return;
  throw codecError(`node '${node.name || node.outputs[0]}' (${node.op}) reads '${name}', which nothing defines`);
};

/** What inference reports about a file is wrong with the file, also where the file gives every type. */
const inferred = (graph: Graph): ReadonlyMap<Value, TensorType> => {
  try {
    return settledTypes(graph);
  } catch (cause) {
    // Sizes that no array can have are the file's, too.
    if (isUserError(cause) || !(isRefusal(cause) || cause instanceof RangeError)) throw cause;
    throw codecError(`the graph '${graph.name}' does not fit together: ${cause.message}`, { cause });
  }
};

/** A decoded graph with its nodes in topological order and the types that the file left out, as far as they follow. */
export const complete = (graph: Graph): Graph => {
  const sorted = { ...graph, nodes: ordered(graph) };
  const defined = new Set<Value>([...graph.inputs, ...graph.weights.keys(), ...graph.nodes.flatMap((n) => n.outputs)]);
  const lost = graph.outputs.find((name) => !defined.has(name));
  if (lost !== undefined) throw codecError(`the output '${lost}' is computed by no node`);
  return { ...sorted, types: inferred(sorted) };
};
