import { bindDim, type Dim } from './dim.ts';
import { type Graph, type Node, opsetOf, readsOf, type Value } from './graph.ts';
import { findOp } from './ops/index.ts';
import { byteSize } from './tensor.ts';

/** What the symbols of a graph's dimensions are in a run. */
type Symbols = Readonly<Record<string, number>>;

/** Bytes of values in a run; 0 of one whose size does not follow from the symbols, so that sums err on the small side. */
const sizesIn = ({ types }: Graph, symbols: Symbols): ((name: Value) => number) => {
  const bound = new Map<Dim, number | undefined>();
  const sizeOf = (dim: Dim): number | undefined => {
    if (typeof dim === 'number' || bound.has(dim)) return typeof dim === 'number' ? dim : bound.get(dim);
    const size = bindDim(dim, symbols);
    bound.set(dim, typeof size === 'number' ? size : undefined);
    return bound.get(dim);
  };
  return (name) => {
    const { dtype, shape } = types.get(name) ?? {};
    const dims = shape?.map(sizeOf).filter((size) => size !== undefined);
    return dtype === undefined || dims === undefined || dims.length !== shape?.length ? 0 : byteSize(dtype, dims);
  };
};

/** Bytes of some values in a run. */
export const bytesOfValues = (graph: Graph, names: readonly Value[], symbols: Symbols): number => {
  const sizes = sizesIn(graph, symbols);
  return names.reduce((sum, name) => sum + sizes(name), 0);
};

/** What a node gives back in another shape without a copy. */
const viewedBy = ({ opsets }: Graph, node: Node): Value | undefined => {
  const [x] = node.inputs;
  return x != null && findOp(node.domain, node.op, opsetOf(opsets, node.domain))?.view === true ? x : undefined;
};

/** Values by what holds their elements: views by what they are views of. */
const holders = (graph: Graph): ReadonlyMap<Value, Value> => {
  const holder = new Map<Value, Value>();
  for (const node of graph.nodes) {
    const viewed = viewedBy(graph, node);
    for (const output of node.outputs) {
      holder.set(output, viewed === undefined ? output : (holder.get(viewed) ?? viewed));
    }
  }
  return holder;
};

/** What is needed no longer once each node ran. */
const lastReads = (graph: Graph, holder: ReadonlyMap<Value, Value>): readonly (readonly Value[])[] => {
  const kept = new Set<Value>([...graph.inputs, ...graph.outputs.map((output) => holder.get(output) ?? output)]);
  return graph.nodes
    .toReversed()
    .map((node) => {
      const last = new Set([...readsOf(node), ...node.outputs].map((name) => holder.get(name) ?? name));
      const free = [...last].filter((name) => !kept.has(name));
      for (const name of free) kept.add(name);
      return free;
    })
    .toReversed();
};

/** What is counted of values beside their bytes. */
interface Counting {
  /** What a runtime takes for a value of so many bytes. */
  readonly held?: (bytes: number) => number;
  /** What a node takes while it runs, beside what it reads and makes. */
  readonly working?: (node: Node) => number;
}

const nothing = (): number => 0;
const itself = (bytes: number): number => bytes;

/**
 * The most bytes that values of a run hold at once, its nodes taken in their order: each value from the node that makes it to
 * the last that reads it, inputs and outputs from the beginning or to the end. Weights and values `elsewhere` are not counted.
 */
export const peakOfValues = (
  graph: Graph,
  elsewhere: ReadonlySet<Value> = new Set(),
  { held = itself, working = nothing }: Counting = {},
): ((symbols: Symbols) => number) => {
  const holder = holders(graph);
  const last = lastReads(graph, holder);
  const isCounted = (name: Value): boolean => !elsewhere.has(name) && !graph.weights.has(name);
  const counted = (names: readonly Value[]): readonly Value[] => names.filter(isCounted);
  const turns = graph.nodes.map((node, i) => ({
    node,
    made: counted(node.outputs.filter((output) => holder.get(output) === output)),
    freed: counted(last[i] ?? []),
  }));
  return (symbols) => {
    const sizes = sizesIn(graph, symbols);
    const sum = (names: readonly Value[]): number => names.reduce((all, name) => all + held(sizes(name)), 0);
    let live = sum(counted(graph.inputs));
    let peak = live;
    for (const { node, made, freed } of turns) {
      live += sum(made);
      peak = Math.max(peak, live + held(working(node)));
      live -= sum(freed);
    }
    return peak;
  };
};
