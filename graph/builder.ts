import { modelError } from '../ground/errors.ts';
import { attributesOf, callOf, inferNode, type Known } from './call.ts';
import type { Dim, Shape } from './dim.ts';
import { formFor } from './forms.ts';
import type { Graph, Node, TensorType, Value } from './graph.ts';
import { opsetOf, readsOf, value } from './graph.ts';
import type { AttributeInput, Call, Emit } from './op.ts';
import { type DType, scalar as scalarTensor, type Tensor, tensorOf, vector } from './tensor.ts';

/** Operator sets that decant's own graphs use: Gelu needs 20, LayerNormalization 17. */
const defaultOpsets = { '': 20, 'com.microsoft': 1 } as const;

/**
 * The one mutable stage of a graph. Nodes are typed as they are added; `freeze` keeps what the outputs need, in
 * topological order (the order of addition).
 */
export class GraphBuilder implements Emit {
  readonly #name: string;
  readonly #opsets: Readonly<Record<string, number>>;
  readonly #nodes: Node[] = [];
  readonly #inputs: Value[] = [];
  readonly #weights = new Map<Value, Tensor>();
  readonly #types = new Map<Value, TensorType>();
  readonly #origins = new Map<Value, readonly Value[]>();
  readonly #ints = new Map<Value, readonly Dim[]>();
  readonly #constants = new Map<string, Value>();
  readonly #taken = new Set<string>();
  readonly #reserved = new Set<string>();
  readonly #known: Known = {
    type: (v) => this.#types.get(v),
    weight: (v) => this.#weights.get(v),
    ints: (v) => this.#ints.get(v),
  };
  #scope = '';
  #counter = 0;

  constructor(name: string, opsets: Readonly<Record<string, number>> = defaultOpsets) {
    this.#name = name;
    this.#opsets = opsets;
  }

  /**
   * A builder with a graph's inputs and weights, or others in their place, for whoever adds its nodes in another form. What
   * they compute keeps its names: fresh ones stay away from them.
   */
  static like(graph: Graph, changes: Partial<Pick<Graph, 'name' | 'opsets' | 'weights'>> = {}): GraphBuilder {
    const { name, opsets, weights } = { ...graph, ...changes };
    const builder = new GraphBuilder(name, opsets);
    builder.reserve(graph.nodes.flatMap((node) => node.outputs));
    for (const input of graph.inputs) {
      const type = graph.types.get(input);
      if (type === undefined) throw modelError(`the input '${input}' of graph '${graph.name}' has no type`);
      builder.input(input, type.dtype, type.shape);
    }
    for (const [weight, tensor] of weights) builder.weight(weight, tensor, graph.origins?.get(weight));
    return builder;
  }

  /** A builder that already holds a graph's inputs, weights and nodes, re-inferred. */
  static from(graph: Graph): GraphBuilder {
    const builder = GraphBuilder.like(graph);
    for (const node of graph.nodes) builder.add(node, (output) => graph.types.get(output));
    return builder;
  }

  get opset(): number {
    return this.#opsets[''] ?? defaultOpsets[''];
  }

  /** The nodes so far, in order of addition. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /** One of the builder's nodes as its operator's record sees it. */
  call(node: Node): Call {
    return callOf(node, opsetOf(this.#opsets, node.domain), this.#known);
  }

  /** Names given to nodes and values while `emit` runs start with `prefix/`. */
  within<T>(prefix: string, emit: () => T): T {
    const outer = this.#scope;
    this.#scope = `${outer}${prefix}/`;
    try {
      return emit();
    } finally {
      this.#scope = outer;
    }
  }

  input(name: string, dtype: DType, shape: Shape | undefined): Value {
    const v = this.#claim(name);
    this.#inputs.push(v);
    this.#types.set(v, { dtype, shape });
    return v;
  }

  /** A weight; `origins` are the ones it was packed from. */
  weight(name: string, tensor: Tensor, origins: readonly Value[] = []): Value {
    const v = this.#claim(name);
    if (origins.length > 0) this.#origins.set(v, origins);
    this.#weights.set(v, tensor);
    this.#types.set(v, { dtype: tensor.dtype, shape: tensor.dims });
    return v;
  }

  op(op: string, inputs: readonly (Value | null)[], attrs?: AttributeInput, name?: string): Value {
    const [output] = this.#emit(op, inputs, 1, attrs, name);
    if (output === undefined) throw new Error(`${op} has no output`);
    return output;
  }

  ops(op: string, inputs: readonly (Value | null)[], outputs: number, attrs?: AttributeInput): readonly Value[] {
    return this.#emit(op, inputs, outputs, attrs, undefined);
  }

  /** Adds a finished node. `fallback` types its outputs where inference cannot. */
  add(node: Node, fallback: (output: Value) => TensorType | undefined = () => undefined): void {
    for (const output of node.outputs) this.#taken.add(output);
    this.#nodes.push(node);
    const inferred = inferNode(callOf(node, opsetOf(this.#opsets, node.domain), this.#known));
    node.outputs.forEach((output, i) => {
      const found = inferred?.[i];
      const type = found ?? fallback(output);
      if (type !== undefined)
        this.#types.set(output, { dtype: type.dtype, shape: type.shape ?? fallback(output)?.shape });
      if (found?.ints !== undefined) this.#ints.set(output, found.ints);
    });
  }

  constant(tensor: Tensor): Value {
    const bytes = tensor.bytes.read();
    const small = bytes.length <= 256;
    const key = small ? `${tensor.dtype}[${tensor.dims.join(',')}]${Buffer.from(bytes).toString('base64')}` : '';
    const shared = small ? this.#constants.get(key) : undefined;
    if (shared !== undefined) return shared;
    const v = this.weight(this.#fresh('constant'), tensor);
    if (small) this.#constants.set(key, v);
    return v;
  }

  scalar(dtype: DType, number: number): Value {
    switch (dtype) {
      case 'float32':
      case 'float64':
      case 'int32':
      case 'int64':
        return this.constant(scalarTensor(dtype, number));
      case 'bool':
        return this.constant(tensorOf('bool', [], Uint8Array.of(number)));
      case 'uint8':
        return this.constant(tensorOf('uint8', [], Uint8Array.of(number)));
      case 'int8':
        return this.constant(tensorOf('int8', [], Int8Array.of(number)));
      default:
        throw new TypeError(`no scalar constants of ${dtype}`);
    }
  }

  ints(values: readonly number[]): Value {
    return this.constant(vector('int64', values));
  }

  type(v: Value): TensorType {
    const type = this.#types.get(v);
    if (type === undefined) throw this.#untyped(v);
    return type;
  }

  /** Names the first node on the way that nothing is known about: the rest follows from it. */
  #untyped(v: Value): Error {
    let at = this.#nodes.find((node) => node.outputs.includes(v));
    for (;;) {
      const open = at?.inputs.find((input) => input !== null && !this.#types.has(input));
      const before = this.#nodes.find((node) => node.outputs.some((output) => output === open));
      if (before === undefined || before === at) break;
      at = before;
    }
    const why = at === undefined ? 'nothing computes it' : `decant knows too little of ${at.op} '${at.name}'`;
    return modelError(
      `the type of '${v}' in graph '${this.#name}' is not known, since ${why}: write the types of its outputs into the file`,
    );
  }

  hasType(v: Value): boolean {
    return this.#types.has(v);
  }

  /** Elements of a small integer value as far as shape arithmetic knows them. */
  intsOf(v: Value): readonly Dim[] | undefined {
    return this.#ints.get(v);
  }

  /** Keeps fresh names away from names that are added later, as when a graph is copied node by node. */
  reserve(names: Iterable<string>): void {
    for (const name of names) this.#reserved.add(name);
  }

  weightOf(v: Value): Tensor | undefined {
    return this.#weights.get(v);
  }

  shapeOf(v: Value): Value {
    const { shape } = this.type(v);
    if (shape !== undefined) {
      const numbers = shape.filter((dim) => typeof dim === 'number');
      if (numbers.length === shape.length) return this.ints(numbers);
    }
    return this.op('Shape', [v]);
  }

  /** The finished graph. Nodes and weights that no output needs are left out. */
  freeze(outputs: readonly Value[], options: { readonly keepInputs?: boolean } = {}): Graph {
    const needed = new Set<Value>(outputs);
    const nodes: Node[] = [];
    for (const node of this.#nodes.toReversed()) {
      if (!node.outputs.some((output) => needed.has(output))) continue;
      nodes.push(node);
      for (const input of readsOf(node)) needed.add(input);
    }
    nodes.reverse();
    const weights = new Map([...this.#weights].filter(([name]) => needed.has(name)));
    const inputs = options.keepInputs === false ? this.#inputs.filter((v) => needed.has(v)) : [...this.#inputs];
    const types = new Map<Value, TensorType>();
    const keep = (v: Value): void => {
      const type = this.#types.get(v);
      if (type !== undefined) types.set(v, type);
    };
    inputs.forEach(keep);
    for (const name of weights.keys()) keep(name);
    for (const node of nodes) node.outputs.forEach(keep);
    const origins = new Map([...this.#origins].filter(([name]) => weights.has(name)));
    const packed = origins.size === 0 ? {} : { origins };
    return { name: this.#name, nodes, inputs, outputs: [...outputs], weights, types, ...packed, opsets: this.#opsets };
  }

  #emit(
    op: string,
    inputs: readonly (Value | null)[],
    outputs: number,
    attrs: AttributeInput | undefined,
    name: string | undefined,
  ): readonly Value[] {
    const [domain, kind] = op.includes(':') ? splitOnce(op, ':') : ['', op];
    const base = name ?? this.#fresh(kind);
    const names = Array.from({ length: outputs }, (_, i) =>
      this.#claim(name === undefined ? (i === 0 ? base : `${base}.${i}`) : i === 0 ? name : `${name}.${i}`),
    );
    const asked = { op: kind, inputs, attrs: attrs ?? {} };
    const form = domain === '' ? formFor(this, this.#name, asked) : asked;
    this.add({ ...form, domain, name: base, outputs: names, attrs: attributesOf(form.attrs) });
    return names;
  }

  #fresh(kind: string): string {
    for (;;) {
      const name = `${this.#scope}${kind}_${this.#counter++}`;
      if (!this.#taken.has(name) && !this.#reserved.has(name)) return name;
    }
  }

  #claim(name: string): Value {
    if (this.#taken.has(name)) throw new Error(`graph '${this.#name}' already has a value called '${name}'`);
    this.#taken.add(name);
    return value(name);
  }
}

const splitOnce = (text: string, separator: string): [string, string] => {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + 1)];
};
