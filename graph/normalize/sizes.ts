import type { GraphBuilder } from '../builder.ts';
import { type Dim, type Expression, type Term, termsOf } from '../dim.ts';
import { type Graph, type Node, type Value, value } from '../graph.ts';
import { isWhole } from '../tensor.ts';

const intOf = ({ attrs }: Node, name: string): number | undefined => {
  const attribute = attrs[name];
  return attribute?.kind === 'int' ? attribute.value : undefined;
};

const isStandard = (node: Node, op: string): boolean => node.domain === '' && node.op === op;

/** Whether a node gives the size of one axis of an input of the graph. */
const isSize = (graph: Graph, node: Node): boolean => {
  const [input] = node.inputs;
  const start = intOf(node, 'start');
  return (
    isStandard(node, 'Shape') &&
    input != null &&
    graph.inputs.includes(input) &&
    start !== undefined &&
    intOf(node, 'end') === start + 1
  );
};

const joins: readonly string[] = ['Concat', 'Mul', 'Add', 'Squeeze'];

/** Where a size stands: an axis of an input. */
interface Place {
  readonly input: Value;
  readonly axis: number;
}

const placesIn = (graph: Graph): ReadonlyMap<Dim, Place> => {
  const places = new Map<Dim, Place>();
  for (const input of graph.inputs) {
    for (const [axis, dim] of (graph.types.get(input)?.shape ?? []).entries()) {
      if (typeof dim !== 'number' && !places.has(dim)) places.set(dim, { input, axis });
    }
  }
  return places;
};

/** Writes symbolic sizes as sums and products of axes of the graph's inputs; one node a size. */
export class Sizes {
  readonly #graph: Graph;
  readonly #builder: GraphBuilder;
  readonly #places: ReadonlyMap<Dim, Place>;
  readonly #written = new Map<string, Value>();
  /** Values of the graph that are made of sizes of inputs and numbers, as they would be written here. */
  readonly #canonical = new Set<Value>();

  constructor(graph: Graph, builder: GraphBuilder) {
    this.#graph = graph;
    this.#builder = builder;
    this.#places = placesIn(graph);
  }

  /** Whether a value could not be said better. */
  isCanonical(name: Value | null): boolean {
    return name !== null && (this.#canonical.has(name) || this.#builder.weightOf(name) !== undefined);
  }

  /** Takes up what a node that was just added says, so that it is not said again. */
  meet(node: Node): void {
    const [input] = node.inputs;
    const [output] = node.outputs;
    if (input == null || output === undefined) return;
    const isJoined = joins.some((op) => isStandard(node, op)) && node.inputs.every((name) => this.isCanonical(name));
    if (isJoined) this.#canonical.add(output);
    if (!isSize(this.#graph, node)) return;
    this.#canonical.add(output);
    const key = `${input} ${intOf(node, 'start')}`;
    if (!this.#written.has(key)) this.#written.set(key, output);
  }

  /** Whether inputs of the graph tell a size, whatever they are fed. */
  tells(dim: Dim): boolean {
    if (typeof dim === 'number') return isWhole(dim);
    return termsOf(dim).every(
      ({ times, symbols }) => isWhole(times) && symbols.every((symbol) => this.#places.has(symbol)),
    );
  }

  /** A list of sizes: (entries). */
  list(dims: readonly Dim[], name: string): Value {
    const parts: Value[] = [];
    let numbers: number[] = [];
    const flush = (): void => {
      if (numbers.length > 0) parts.push(this.#builder.ints(numbers));
      numbers = [];
    };
    for (const dim of dims) {
      if (typeof dim === 'number') numbers.push(dim);
      else {
        flush();
        parts.push(this.#size(dim));
      }
    }
    flush();
    const [only, ...more] = parts;
    return only !== undefined && more.length === 0 ? only : this.#builder.op('Concat', parts, { axis: 0 }, name);
  }

  /** One size without an axis. */
  single(dim: Dim): Value {
    if (typeof dim === 'number') return this.#builder.scalar('int64', dim);
    return this.#builder.op('Squeeze', [this.#size(dim), this.#builder.ints([0])]);
  }

  #size(dim: Expression): Value {
    const known = this.#written.get(dim);
    if (known !== undefined) return known;
    const terms = termsOf(dim).map((term) => this.#term(term));
    const sum = terms.reduce((a, b) => this.#builder.op('Add', [a, b]));
    this.#written.set(dim, sum);
    return sum;
  }

  #term({ times, symbols }: Term): Value {
    const factors = symbols.map((symbol) => this.#axis(symbol));
    const all = times === 1 && factors.length > 0 ? factors : [...factors, this.#builder.ints([times])];
    return all.reduce((a, b) => this.#builder.op('Mul', [a, b]));
  }

  #axis(symbol: Expression): Value {
    const { input = value(''), axis = 0 } = this.#places.get(symbol) ?? {};
    const key = `${input} ${axis}`;
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    const size = this.#builder.op('Shape', [input], { start: axis, end: axis + 1 });
    this.#written.set(key, size);
    return size;
  }
}
