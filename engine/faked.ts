import type { GraphBuilder } from '../graph/builder.ts';
import { type Graph, type Node, type Value, value } from '../graph/graph.ts';
import type { Gradient } from '../graph/op.ts';
import type { Rules } from '../graph/quantize/fake/emit.ts';
import { emitFakeInput, emitFakeRows, emitFakeWeight, type FakeWeight } from '../graph/quantize/fake/weight.ts';
import { looksUpRows, sitesAt } from '../graph/sites.ts';

/** Weights that training sees as they will be stored, and how that is. */
export type Faked = ReadonlyMap<Value, FakeWeight>;

/** Reads weights in a graph under construction as they will be stored. */
export class FakeReads {
  readonly #builder: GraphBuilder;
  readonly #graph: Graph;
  readonly #faked: Faked;
  readonly #resolve: (name: Value) => Value;
  readonly #seen = new Map<Value, Value>();
  readonly #stored = new Map<Value, Value>();
  readonly #inputs = new Map<string, Value>();
  readonly #rules: Rules = new Map();

  constructor(builder: GraphBuilder, graph: Graph, faked: Faked, resolve: (name: Value) => Value) {
    this.#builder = builder;
    this.#graph = graph;
    this.#faked = faked;
    this.#resolve = resolve;
  }

  /** What a node reads in place of a weight; undefined where it reads the value itself. */
  weight(name: Value): Value | undefined {
    const weight = this.#faked.get(name);
    if (weight === undefined) return undefined;
    const known = this.#seen.get(name);
    if (known !== undefined) return known;
    const seen = this.#builder.within(`${name}/stored`, () =>
      emitFakeWeight(this.#emission, this.#resolve(name), this.#dims(name), weight),
    ).value;
    this.#seen.set(name, seen);
    return seen;
  }

  /** The table that a node looks rows up in, where these are to be read as they will be stored. */
  lookedUp(node: Node): Value | undefined {
    return sitesAt(this.#graph, node).find((site) => looksUpRows(site) && this.#faked.has(site.weight))?.weight;
  }

  /** Adds a look-up; gives what others read in place of its rows. */
  rows(node: Node, table: Value, name: string): Value {
    const weight = this.#faked.get(table);
    const [, ids] = node.inputs;
    const [output] = node.outputs;
    if (weight === undefined || ids == null || output === undefined) throw new Error(`'${node.name}' looks up nothing`);
    const found = value(`${this.#resolve(output)}/found`);
    const inputs = [this.#resolve(table), this.#resolve(ids)] as const;
    this.#builder.add({ ...node, name, inputs, outputs: [found] }, () => this.#graph.types.get(output));
    this.#stored.set(output, found);
    const lookup = { table: inputs[0], dims: this.#dims(table), ids: inputs[1] };
    return this.#builder.within(`${output}/stored`, () => emitFakeRows(this.#emission, found, lookup, weight));
  }

  /** What a product reads as it will be rounded; undefined where it reads the activation itself. */
  input(node: Node): Value | undefined {
    const [x] = node.inputs;
    const weight = sitesAt(this.#graph, node).map((site) => this.#faked.get(site.weight));
    const input = weight.flatMap((one) => (one?.form === 'bytes' ? (one.input ?? []) : []))[0];
    if (x == null || input === undefined) return undefined;
    const key = `${x} ${typeof input === 'string' ? input : `${input.step} ${input.zero}`}`;
    const known = this.#inputs.get(key);
    if (known !== undefined) return known;
    const seen = this.#builder.within(`${x}/rounded`, () => emitFakeInput(this.#emission, this.#resolve(x), input));
    this.#inputs.set(key, seen);
    return seen;
  }

  /** Rows as they were looked up. */
  found(rows: Value): Value | undefined {
    return this.#stored.get(rows);
  }

  /** How gradients go through what is rounded. */
  ruleAt({ outputs: [made] }: Node): Gradient | undefined {
    return made === undefined ? undefined : this.#rules.get(made);
  }

  #dims(name: Value): readonly number[] {
    return this.#graph.weights.get(name)?.dims ?? [];
  }

  get #emission() {
    return { emit: this.#builder, rules: this.#rules };
  }
}
