import { GraphBuilder } from './builder.ts';
import { capturedBy, type Graph, indexOf, type Node, readsOf, type Value, value } from './graph.ts';
import { dtypeNumber } from './ops/shared-structure.ts';
import { floatPiecesOf, type Tensor } from './tensor.ts';

/** What takes the time of a step, and loses least: each number is rounded once, where sums are wider inside. */
const products: ReadonlySet<string> = new Set([
  ...['MatMul', 'Gemm', 'Conv', 'com.microsoft:FusedMatMul', 'com.microsoft:MatMulNBits'],
]);

/** Gives rows of a table as the table has them. */
const lookups: ReadonlySet<string> = new Set(['Gather', 'Slice', 'com.microsoft:GatherBlockQuantized']);

/** Attention by itself: devices that have it in float16 add up in float32 inside. */
const attentions: ReadonlySet<string> = new Set(['com.microsoft:MultiHeadAttention', 'com.microsoft:Attention']);

/** Puts elements elsewhere and changes none. */
const movements: ReadonlySet<string> = new Set([
  ...['Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose'],
  ...['Concat', 'Split', 'Slice', 'Gather', 'Expand'],
]);

/** Goes on in float16 what came in it: nothing here adds up many numbers, or grows faster than what it reads. */
const between: ReadonlySet<string> = new Set([
  ...movements,
  ...['Add', 'Sub', 'Mul', 'Neg', 'Where', 'Max', 'Min'],
  ...['Relu', 'LeakyRelu', 'Gelu', 'com.microsoft:Gelu', 'com.microsoft:QuickGelu', 'Erf', 'Tanh', 'Sigmoid'],
]);

/** Everything else stays in float32: softmax, norms, exponentials, quotients, sums and means, losses. */

/** The largest float16, and the smallest that has all its digits. */
const [LARGEST, SMALLEST] = [65_504, 2 ** -14];

/** From this operator set on, bytes become float16 without float32 in between. */
const HALF_BYTES_SINCE = 19;

const nameOf = ({ domain, op }: Node): string => (domain === '' ? op : `${domain}:${op}`);

const holdsGraphs = ({ attrs }: Node): boolean => Object.values(attrs).some(({ kind }) => kind === 'graph');

/** Whether a constant means the same in float16. */
const fits = (tensor: Tensor): boolean => {
  const isSingle = tensor.dims.every((size) => size === 1);
  for (const piece of floatPiecesOf(tensor)) {
    for (const x of piece) {
      const size = Math.abs(x);
      if (size > LARGEST || (isSingle && size < SMALLEST && x !== 0)) return false;
    }
  }
  return true;
};

export interface Float16Options {
  /** Most terms of a product in float16, for devices that add these up in float16; products over a batch then stay wide. */
  readonly longestSum?: number | undefined;
  /** For a file that holds its weights in float16: rows are looked up, and attention computed, in float16, too. */
  readonly stored?: boolean;
  /** Values that float16 does not reach. */
  readonly wide?: ReadonlySet<Value>;
}

/** How many terms each element of a product adds up; undefined where only the run knows. */
const termsOf = ({ types }: Graph, { op, inputs: [a], attrs }: Node): number | undefined => {
  const shape = a == null ? undefined : types.get(a)?.shape;
  const isTurned = attrs.transA?.kind === 'int' && attrs.transA.value === 1;
  const size = op === 'Conv' ? undefined : shape?.at(isTurned ? -2 : -1);
  return typeof size === 'number' ? size : undefined;
};

/** A graph on its way to float16. A value keeps its name in float32; in float16 it has another. */
class Halving {
  readonly #graph: Graph;
  readonly #longestSum: number;
  readonly #stored: boolean;
  readonly #wide: ReadonlySet<Value>;
  readonly #builder: GraphBuilder;
  readonly #captured: ReadonlySet<Value>;
  /** Names in float16. */
  readonly #halves = new Map<Value, Value>();
  /** Values that were computed in float16. */
  readonly #native = new Set<Value>();
  /** Values that are rounded to float16 where what they meet is in it: weights, and masks of zeros and one other number. */
  readonly #rounded = new Set<Value>();

  constructor(graph: Graph, options: Float16Options) {
    const { longestSum = Number.POSITIVE_INFINITY, stored = false, wide = new Set<Value>() } = options;
    this.#graph = graph;
    this.#longestSum = longestSum;
    this.#stored = stored;
    this.#wide = wide;
    this.#builder = GraphBuilder.like(graph);
    this.#captured = new Set([...graph.outputs, ...graph.nodes.flatMap(capturedBy)]);
    for (const input of graph.inputs) if (this.#isFloat(input)) this.#rounded.add(input);
    for (const [name, tensor] of graph.weights) if (tensor.dtype === 'float32' && fits(tensor)) this.#rounded.add(name);
  }

  run(): Graph {
    for (const node of this.#graph.nodes) {
      if (this.#computesInHalf(node)) this.#addHalf(node);
      else this.#addFull(node);
    }
    return this.#builder.freeze(this.#graph.outputs);
  }

  #isFloat(name: Value): boolean {
    return this.#graph.types.get(name)?.dtype === 'float32';
  }

  #floatsOf({ inputs }: Node): readonly Value[] {
    return inputs.filter((input) => input !== null).filter((input) => this.#isFloat(input));
  }

  #computesInHalf(node: Node): boolean {
    const [floats, name] = [this.#floatsOf(node), nameOf(node)];
    if (floats.length === 0 || holdsGraphs(node) || !node.outputs.every((output) => this.#isFloat(output)))
      return false;
    if (node.outputs.some((output) => this.#wide.has(output)) || floats.some((input) => this.#wide.has(input)))
      return false;
    const isKnown = (input: Value): boolean => this.#native.has(input) || this.#rounded.has(input);
    if (products.has(name))
      return this.#isShort(node) && floats.every((input) => isKnown(input) || !this.#isFixed(input));
    if (this.#stored && attentions.has(name)) return true;
    if (this.#stored && lookups.has(name) && floats.every(isKnown)) return true;
    return between.has(name) && floats.some((input) => this.#native.has(input)) && floats.every(isKnown);
  }

  #isFixed(name: Value): boolean {
    return this.#graph.weights.has(name);
  }

  #isShort(node: Node): boolean {
    return (termsOf(this.#graph, node) ?? Number.POSITIVE_INFINITY) <= this.#longestSum;
  }

  #addHalf(node: Node): void {
    const inputs = node.inputs.map((input) => (input === null || !this.#isFloat(input) ? input : this.#half(input)));
    const outputs = node.outputs.map((output) => value(`${output}/float16`));
    this.#builder.add({ ...node, name: `${node.name}/in-float16`, inputs, outputs }, (name) => {
      const shape = this.#graph.types.get(node.outputs[outputs.indexOf(name)] ?? name)?.shape;
      return { dtype: 'float16', shape };
    });
    node.outputs.forEach((output, i) => {
      this.#native.add(output);
      this.#halves.set(output, outputs[i] ?? output);
      // What is fetched is done with: its copy need not wait.
      if (this.#captured.has(output)) this.#widen(output);
    });
  }

  #addFull(node: Node): void {
    for (const input of readsOf(node)) this.#widen(input);
    this.#builder.add(node, (output) => this.#graph.types.get(output));
    if (this.#isRounded(node)) for (const output of node.outputs) this.#rounded.add(output);
  }

  /** Masks, and weights in another order. */
  #isRounded(node: Node): boolean {
    const [first] = node.inputs;
    if (node.op === 'DequantizeLinear') return true;
    if (node.op === 'Cast') return first != null && this.#graph.types.get(first)?.dtype === 'bool';
    const floats = this.#floatsOf(node);
    return movements.has(nameOf(node)) && floats.length > 0 && floats.every((input) => this.#rounded.has(input));
  }

  /** The value in float16. */
  #half(name: Value): Value {
    const known = this.#halves.get(name);
    if (known !== undefined) return known;
    const own = value(`${name}/float16`);
    this.#halves.set(name, own);
    const bytes = indexOf(this.#graph).producer.get(name);
    const scale = bytes?.op === 'DequantizeLinear' ? bytes.inputs[1] : undefined;
    if (bytes !== undefined && scale != null && this.#builder.opset >= HALF_BYTES_SINCE) {
      const inputs = bytes.inputs.map((input, i) => (i === 1 ? this.#half(scale) : input));
      this.#builder.add({ ...bytes, name: own, inputs, outputs: [own] });
      return own;
    }
    return this.#builder.op('Cast', [name], { to: dtypeNumber('float16') }, own);
  }

  /** Makes sure that the value is there in float32. */
  #widen(name: Value): void {
    const half = this.#halves.get(name);
    if (half === undefined || this.#builder.hasType(name)) return;
    this.#builder.op('Cast', [half], { to: dtypeNumber('float32') }, name);
  }
}

/**
 * The same graph with its products, and what lies between them, in float16; inputs and outputs stay as they are. What adds
 * up many numbers or needs a wide range stays in float32, as do all values that were made so.
 *
 * Micikevicius et al. 2018, Mixed Precision Training, arXiv 1710.03740.
 */
export const inFloat16 = (graph: Graph, options: Float16Options = {}): Graph => new Halving(graph, options).run();
