import type { Shape } from './dim.ts';
import type { DType, Tensor } from './tensor.ts';

/** The name of a tensor inside one graph. */
export type Value = string & { readonly __brand: 'Value' };
export const value = (name: string): Value => name as Value;

/** `shape` is undefined where even the rank is unknown. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape | undefined;
}

/**
 * Integers are doubles, where 2^63 stands for the largest int64, which says "to the end". `exact` is there where that
 * double came from a neighbour: what is written again or becomes a tensor is that one.
 */
export type Attribute =
  | { readonly kind: 'int'; readonly value: number; readonly exact?: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[]; readonly exact?: readonly bigint[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: Tensor }
  | { readonly kind: 'graph'; readonly value: Graph };
export type Attributes = Readonly<Record<string, Attribute>>;

export interface Node {
  readonly op: string;
  /** '' is the standard ONNX domain. */
  readonly domain: string;
  readonly name: string;
  /** null marks an optional input that is left out. */
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly Value[];
  readonly attrs: Attributes;
}

/** A frozen ONNX graph in topological order. Only GraphBuilder makes one. */
export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Initializers: trained parameters and constants alike. */
  readonly weights: ReadonlyMap<Value, Tensor>;
  /** Types of inputs, weights and every value that inference could type. */
  readonly types: ReadonlyMap<Value, TensorType>;
  /** Weights that others were packed from, by the packed weight: rewriting joins what is fused. Files do not keep it. */
  readonly origins?: ReadonlyMap<Value, readonly Value[]>;
  /** Operator-set version by domain. */
  readonly opsets: Readonly<Record<string, number>>;
  /** What symbols are taken to be, where this is a view of another graph (`concreteView`). */
  readonly sizes?: Readonly<Record<string, number>>;
}

/** The version of an operator set; 1 where a graph does not say. Domains are texts of a file: none is taken for what objects inherit. */
export const opsetOf = (opsets: Graph['opsets'], domain: string): number =>
  (Object.hasOwn(opsets, domain) ? opsets[domain] : undefined) ?? 1;

export interface GraphIndex {
  /** The node that computes a value; absent for inputs and weights. */
  readonly producer: ReadonlyMap<Value, Node>;
  /** The nodes that read a value, once a node. */
  readonly users: ReadonlyMap<Value, readonly Node[]>;
}

/** Values of enclosing graphs that the bodies inside a node (If, Loop) read. */
export const capturedBy = (node: Node): Value[] =>
  Object.values(node.attrs).flatMap((attribute) => {
    if (attribute.kind !== 'graph') return [];
    const body = attribute.value;
    const own = new Set<Value>([...body.inputs, ...body.weights.keys(), ...body.nodes.flatMap((n) => n.outputs)]);
    const read = [...body.nodes.flatMap(readsOf), ...body.outputs];
    return read.filter((name) => !own.has(name));
  });

/** Every value that a node needs: its inputs and what the bodies inside it capture. */
export const readsOf = (node: Node): Value[] => [...node.inputs.filter((input) => input !== null), ...capturedBy(node)];

/** The same node with what it reads under other names. */
export const readingAs = (node: Node, nameOf: (input: Value) => Value): Node => ({
  ...node,
  inputs: node.inputs.map((input) => (input === null ? null : nameOf(input))),
});

const indices = new WeakMap<Graph, GraphIndex>();

/** Producer and use maps, derived once a graph. */
export const indexOf = (graph: Graph): GraphIndex => {
  let index = indices.get(graph);
  if (index === undefined) {
    const producer = new Map<Value, Node>();
    const users = new Map<Value, Node[]>();
    for (const node of graph.nodes) {
      for (const output of node.outputs) producer.set(output, node);
      for (const input of new Set(readsOf(node))) {
        const list = users.get(input);
        if (list === undefined) users.set(input, [node]);
        else list.push(node);
      }
    }
    index = { producer, users };
    indices.set(graph, index);
  }
  return index;
};
