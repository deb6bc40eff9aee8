import { modelError } from '../../ground/errors.ts';
import { GraphBuilder } from '../builder.ts';
import { addDims, type Dim } from '../dim.ts';
import type { Attributes, Graph, Node, TensorType, Value } from '../graph.ts';
import { value } from '../graph.ts';
import { arrayOf, isInt32, type Tensor, tensorOf, vector } from '../tensor.ts';
import { boundBy, type HostFeed } from './host.ts';

/** A graph in the words of a device, and what the engine feeds it beside what its callers do. */
export interface Lowered {
  readonly graph: Graph;
  readonly host: readonly HostFeed[];
}

/**
 * Inputs that are int64 whatever else a graph holds: shapes, axes, amounts and counts, which runtimes read on the host, and
 * indices for which the standard has no other type.
 */
const wide: Readonly<Record<string, readonly number[]>> = {
  'com.microsoft:RotaryEmbedding': [1],
  ConstantOfShape: [0],
  CumSum: [1],
  Expand: [1],
  GatherND: [1],
  OneHot: [1],
  Pad: [1, 3],
  Range: [0, 1, 2],
  Reshape: [1],
  ReduceL1: [1],
  ReduceL2: [1],
  ReduceLogSum: [1],
  ReduceLogSumExp: [1],
  ReduceMax: [1],
  ReduceMean: [1],
  ReduceMin: [1],
  ReduceProd: [1],
  ReduceSum: [1],
  ReduceSumSquare: [1],
  RotaryEmbedding: [3],
  ScatterND: [1],
  Slice: [1, 2, 3, 4],
  Split: [1],
  Squeeze: [1],
  Tile: [1],
  TopK: [1],
  Trilu: [1],
  Unsqueeze: [1],
};

const INT32 = 6;
const INT64 = 7;

/** Numbers of the standard for the types, in Cast and its kin. */
const narrowAttributes = (attrs: Attributes): Attributes => {
  const { to, dtype, value: filler } = attrs;
  return {
    ...attrs,
    ...(to?.kind === 'int' && to.value === INT64 ? { to: { kind: 'int', value: INT32 } } : {}),
    ...(dtype?.kind === 'int' && dtype.value === INT64 ? { dtype: { kind: 'int', value: INT32 } } : {}),
    ...(filler?.kind === 'tensor' ? { value: { kind: 'tensor', value: narrowTensor('value', filler.value) } } : {}),
  };
};

/** The same integers in half the bytes. */
const narrowTensor = (name: string, tensor: Tensor): Tensor => {
  if (tensor.dtype !== 'int64') return tensor;
  const data = Int32Array.from(arrayOf({ ...tensor, dtype: 'int64' }), (x) => {
    const number = Number(x);
    if (isInt32(number)) return number;
    throw modelError(
      `the constant '${name}' holds ${x}, and the device computes with 32-bit integers; run it on the CPU`,
    );
  });
  return tensorOf('int32', tensor.dims, data);
};

const narrowed = (type: TensorType): TensorType => (type.dtype === 'int64' ? { ...type, dtype: 'int32' } : type);

/** Whether a constant counts up from its first number. */
const countsFrom = (tensor: Tensor | undefined): bigint | undefined => {
  if (tensor?.dtype !== 'int64' || tensor.dims.length !== 1) return undefined;
  const data = arrayOf({ ...tensor, dtype: 'int64' });
  const first = data[0];
  return first !== undefined && data.every((x, i) => x === first + BigInt(i)) ? first : undefined;
};

/** One graph on its way to integers of 32 bits. */
class Narrowing {
  readonly #graph: Graph;
  /** What inference knows of the graph as it is. */
  readonly #before: GraphBuilder;
  readonly #builder: GraphBuilder;
  readonly #isBound: (dim: Dim) => boolean;
  readonly #host = new Map<Value, HostFeed>();
  /** Numbers of values that the host works out: no node computes them. */
  readonly #sizes = new Map<Value, readonly Dim[]>();
  readonly #counts = new Map<Value, { readonly start: Dim; readonly length: Dim }>();
  readonly #made = new Map<string, Value>();

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#before = GraphBuilder.from(graph);
    this.#isBound = boundBy(graph);
    this.#builder = new GraphBuilder(graph.name, graph.opsets);
    this.#builder.reserve([...graph.nodes.flatMap(({ outputs }) => outputs), ...graph.weights.keys()]);
  }

  run(): Lowered {
    const { inputs, nodes, outputs, weights } = this.#graph;
    for (const input of inputs) {
      const { dtype, shape } = narrowed(this.#before.type(input));
      this.#builder.input(input, dtype, shape);
    }
    for (const [name, tensor] of weights) {
      if (tensor.dtype !== 'int64') this.#builder.weight(name, tensor, this.#graph.origins?.get(name));
    }
    for (const node of nodes) if (!this.#isKnown(node)) this.#add(node);
    for (const output of outputs) this.#finish(output);
    const graph = this.#builder.freeze(outputs, { keepInputs: false });
    const kept = new Set(graph.inputs);
    return { graph, host: [...this.#host.values()].filter(({ name }) => kept.has(name)) };
  }

  /** Whether the host works a node out: shapes and numbers that count up. */
  #isKnown(node: Node): boolean {
    const [output] = node.outputs;
    if (output === undefined || node.outputs.length !== 1 || !this.#before.hasType(output)) return false;
    const { dtype, shape } = this.#before.type(output);
    if (dtype !== 'int64' || shape?.every((dim) => typeof dim === 'number') !== true)
      return this.#isCounted(node, output);
    const ints = this.#before.intsOf(output);
    if (ints === undefined || !ints.every(this.#isBound)) return this.#isCounted(node, output);
    this.#sizes.set(output, ints);
    return true;
  }

  #isCounted(node: Node, output: Value): boolean {
    const count = this.#before.hasType(output) ? this.#countOf(node, output) : undefined;
    if (count !== undefined) this.#counts.set(output, count);
    return count !== undefined;
  }

  #intsAt({ inputs }: Node, position: number): readonly Dim[] | undefined {
    const input = inputs[position];
    if (input == null) return undefined;
    const tensor = this.#graph.weights.get(input);
    return tensor?.dtype === 'int64'
      ? Array.from(arrayOf({ ...tensor, dtype: 'int64' }), Number)
      : this.#before.intsOf(input);
  }

  /** A range from a known start in steps of one, or a stretch of a constant that counts up. */
  #countOf(node: Node, output: Value): { readonly start: Dim; readonly length: Dim } | undefined {
    const { dtype, shape } = this.#before.type(output);
    const [length] = shape ?? [];
    if (dtype !== 'int64' || shape?.length !== 1 || length === undefined || !this.#isBound(length)) return undefined;
    if (node.op === 'Range' && this.#intsAt(node, 2)?.[0] === 1) {
      const [start] = this.#intsAt(node, 0) ?? [];
      return start !== undefined && this.#isBound(start) ? { start, length } : undefined;
    }
    const [source] = node.inputs;
    const first = node.op === 'Slice' && source != null ? countsFrom(this.#graph.weights.get(source)) : undefined;
    const [start] = this.#intsAt(node, 1) ?? [];
    const step = node.inputs[4] == null ? 1 : this.#intsAt(node, 4)?.[0];
    const isForward = typeof start === 'number' && start >= 0 && step === 1;
    return first !== undefined && isForward ? { start: addDims(start, Number(first)), length } : undefined;
  }

  #add(node: Node): void {
    const positions = wide[node.domain === '' ? node.op : `${node.domain}:${node.op}`] ?? [];
    const inputs = node.inputs.map((input, i) => {
      if (input === null) return null;
      return positions.includes(i) ? this.#wide(input) : this.#narrow(input);
    });
    const attrs = narrowAttributes(node.attrs);
    const [first] = inputs;
    const casts = node.op === 'Cast' && first != null && attrs.to?.kind === 'int' && attrs.to.value === INT32;
    const isIdle = casts && this.#builder.hasType(first) && this.#builder.type(first).dtype === 'int32';
    this.#builder.add(
      isIdle ? { ...node, op: 'Identity', inputs, attrs: {} } : { ...node, inputs, attrs },
      (output) => {
        const type = this.#graph.types.get(output);
        return type === undefined ? undefined : narrowed(type);
      },
    );
  }

  /** The value as the device computes with it. */
  #narrow(name: Value): Value {
    if (this.#builder.hasType(name)) return this.#builder.type(name).dtype === 'int64' ? this.#cast(name, INT32) : name;
    const tensor = this.#graph.weights.get(name);
    if (tensor !== undefined) return this.#builder.weight(name, narrowTensor(name, tensor));
    return this.#sizesAs(name, 'int32') ?? this.#counted(name) ?? name;
  }

  /** The value in 64 bits. */
  #wide(name: Value): Value {
    const own = value(`${name}/int64`);
    if (this.#builder.hasType(own)) return own;
    const tensor = this.#graph.weights.get(name);
    if (tensor !== undefined) return tensor.dtype === 'int64' ? this.#builder.weight(own, tensor) : name;
    const sizes = this.#sizesAs(name, 'int64');
    if (sizes !== undefined) return sizes;
    if (!this.#before.hasType(name) || this.#before.type(name).dtype !== 'int64') return this.#narrow(name);
    if (this.#graph.inputs.includes(name))
      return this.#feed({ name: own, kind: 'copy', of: name }, 'int64', this.#before.type(name).shape);
    return this.#builder.type(name).dtype === 'int64' ? name : this.#cast(this.#narrow(name), INT64);
  }

  #cast(name: Value, to: number): Value {
    const key = `${name} as ${to}`;
    const made = this.#made.get(key) ?? this.#builder.op('Cast', [name], { to });
    this.#made.set(key, made);
    return made;
  }

  #feed(feed: HostFeed, dtype: 'int64' | 'int32', shape: TensorType['shape']): Value {
    if (this.#host.has(feed.name)) return feed.name;
    this.#host.set(feed.name, feed);
    return this.#builder.input(feed.name, dtype, shape);
  }

  /** Sizes that the host works out: a constant where no symbol has a part in them. */
  #sizesAs(name: Value, dtype: 'int64' | 'int32'): Value | undefined {
    const elements = this.#sizes.get(name);
    if (elements === undefined) return undefined;
    const own = value(`${name}/${dtype}`);
    if (this.#builder.hasType(own)) return own;
    const dims = (this.#before.type(name).shape ?? []).filter((dim) => typeof dim === 'number');
    const numbers = elements.filter((dim) => typeof dim === 'number');
    if (numbers.length === elements.length) return this.#builder.weight(own, vector(dtype, numbers, dims));
    return this.#feed({ name: own, kind: 'sizes', dtype, dims, elements }, dtype, dims);
  }

  #counted(name: Value): Value | undefined {
    const count = this.#counts.get(name);
    if (count === undefined) return undefined;
    return this.#feed({ name: value(`${name}/int32`), kind: 'count', ...count }, 'int32', [count.length]);
  }

  /** What the host worked out is an output under its own name all the same. */
  #finish(output: Value): void {
    if (this.#sizes.has(output) || this.#counts.has(output))
      this.#builder.op('Identity', [this.#narrow(output)], {}, output);
  }
}

const holdsGraphs = ({ attrs }: Node): boolean => Object.values(attrs).some(({ kind }) => kind === 'graph');

/**
 * The same graph with integers of 32 bits where it computes with 64, for devices without these. What is a matter of shapes
 * alone is worked out by the host and fed. Graphs with bodies (If, Loop) stay as they are.
 */
export const narrowIntegers = (graph: Graph): Lowered =>
  graph.nodes.some(holdsGraphs) ? { graph, host: [] } : new Narrowing(graph).run();
