import { type Graph, indexOf, type Node, readsOf, type Value, value } from '../../../graph/graph.ts';
import { floatsOfBlocks } from '../../../graph/quantize/floats.ts';
import { arrayOf, elementCount, float32Of, newArray, type Tensor, tensorOf } from '../../../graph/tensor.ts';
import { intAttribute, type Product, productOf } from '../products.ts';
import type { Variant } from './variant.ts';

const withWeights = (graph: Graph, nodes: readonly Node[], changed: ReadonlyMap<Value, Tensor>): Graph => ({
  ...graph,
  nodes,
  weights: new Map([...graph.weights, ...changed]),
});

/** 0 .. 255 as -128 .. 127: the same distance from a zero point that is moved alike. */
const signedTensor = (tensor: Tensor): Tensor =>
  tensorOf(
    'int8',
    tensor.dims,
    Int8Array.from(tensor.bytes.read(), (byte) => byte - 128),
  );

/** Unsigned weights as signed ones: equal products on another kernel. */
export const signed: Variant = {
  name: 'signed',
  make: ({ graph }) => {
    const changed = new Map<Value, Tensor>();
    const fallback = value('profile/zero_point');
    const nodes = graph.nodes.map((node) => {
      const product = productOf(graph, node);
      const position = product?.use.zero;
      if (product?.tensor.dtype !== 'uint8' || position === undefined || product.bits !== undefined) return node;
      changed.set(product.weight, signedTensor(product.tensor));
      const zero = node.inputs[position] ?? undefined;
      const tensor = zero === undefined ? undefined : graph.weights.get(zero);
      changed.set(
        zero ?? fallback,
        tensor === undefined ? tensorOf('int8', [], Int8Array.of(-128)) : signedTensor(tensor),
      );
      const inputs = Array.from(
        { length: Math.max(node.inputs.length, position + 1) },
        (_, i) => node.inputs[i] ?? null,
      );
      return { ...node, inputs: inputs.with(position, zero ?? fallback) };
    });
    return changed.size === 0 ? undefined : withWeights(graph, nodes, changed);
  },
};

/** An integer matrix times its steps, a column at a time. */
const toFloat = (tensor: Tensor, steps: Tensor, zero: Tensor | undefined): Tensor => {
  const integers = arrayOf(tensor);
  const scale = float32Of(steps);
  const offsets = zero === undefined ? undefined : arrayOf(zero);
  const columns = tensor.dims[1] ?? 1;
  const result = newArray('float32', integers.length);
  for (let i = 0; i < integers.length; i++) {
    const column = i % columns;
    const offset = Number(offsets?.[offsets.length === 1 ? 0 : column] ?? 0);
    result[i] = (Number(integers[i]) - offset) * (scale[scale.length === 1 ? 0 : column] ?? 1);
  }
  return tensorOf('float32', tensor.dims, result);
};

/** Where an integer kernel has its float activation, the steps and zero point of its weight, and its bias. */
interface Places {
  readonly x: Value;
  readonly steps: Value;
  readonly zero: Value | null;
  readonly bias: Value | null;
}

const makesIntegers: ReadonlySet<string> = new Set(['DynamicQuantizeLinear', 'QuantizeLinear']);

/** The float value behind integers that were made of it. */
const floatBehind = (graph: Graph, integers: Value | null | undefined): Value | null => {
  const source = integers == null ? undefined : indexOf(graph).producer.get(integers);
  return source !== undefined && makesIntegers.has(source.op) ? (source.inputs[0] ?? null) : null;
};

/** Kernels that take float numbers and quantize them themselves. */
export const quantizesInside = ({ op }: Node): boolean => op === 'DynamicQuantizeMatMul';

const placesOf = (graph: Graph, { node, use, bias }: Product): Places | undefined => {
  const at = (i: number | undefined): Value | null => (i === undefined ? null : (node.inputs[i] ?? null));
  const x = quantizesInside(node) ? at(0) : floatBehind(graph, at(0));
  const steps = at(use.steps);
  const own = bias !== undefined && node.inputs.includes(bias) ? bias : null;
  return x === null || steps === null ? undefined : { x, steps, zero: at(use.zero), bias: own };
};

const standard = { domain: '', attrs: {} } as const;

/** A product in floats, and the matrix that it multiplies by. */
interface InFloat {
  readonly nodes: readonly Node[];
  readonly weight: Value;
  readonly tensor: Tensor;
}

/** The same work on float numbers. */
const inFloat = (node: Node, { x, bias }: Pick<Places, 'x' | 'bias'>, weight: Value): readonly Node[] => {
  const [output] = node.outputs;
  if (output === undefined) return [node];
  if (node.op === 'QAttention') {
    const mask = node.inputs[5] ?? null;
    return [{ ...node, op: 'Attention', inputs: [x, weight, bias, ...(mask === null ? [] : [mask])] }];
  }
  const result = bias === null ? output : value(`${output}/product`);
  const product = { ...standard, op: 'MatMul', name: `${node.name}/float`, inputs: [x, weight], outputs: [result] };
  if (bias === null) return [product];
  return [product, { ...standard, op: 'Add', name: `${node.name}/bias`, inputs: [result, bias], outputs: [output] }];
};

/** Without nodes whose results nobody reads any more. */
const live = (graph: Graph): Graph => {
  const read = new Set<Value>(graph.outputs);
  const nodes = graph.nodes.toReversed().filter((node) => {
    const kept = node.outputs.some((output) => read.has(output));
    if (kept) for (const name of readsOf(node)) read.add(name);
    return kept;
  });
  return {
    ...graph,
    nodes: nodes.toReversed(),
    weights: new Map([...graph.weights].filter(([name]) => read.has(name))),
  };
};

/** A product by blocks, by the floats that they stand for. */
const blocksInFloat = (graph: Graph, { node, weight, bias }: Product): InFloat | undefined => {
  const [x] = node.inputs;
  const tensor = floatsOfBlocks(graph, node);
  if (x == null || tensor === undefined) return undefined;
  const own = value(`${weight}/float`);
  const added = bias !== undefined && node.inputs.includes(bias) ? bias : null;
  return { nodes: inFloat(node, { x, bias: added }, own), weight: own, tensor };
};

/** An integer product on the activations before they are quantized. */
const integersInFloat = (graph: Graph, product: Product): InFloat | undefined => {
  const places = placesOf(graph, product);
  const steps = places === undefined ? undefined : graph.weights.get(places.steps);
  if (places === undefined || steps === undefined) return undefined;
  const weight = value(`${product.weight}/float`);
  const zero = places.zero === null ? undefined : graph.weights.get(places.zero);
  return { nodes: inFloat(product.node, places, weight), weight, tensor: toFloat(product.tensor, steps, zero) };
};

/** The products of a graph of few bits in float32. */
export const float: Variant = {
  name: 'float',
  make: ({ graph }) => {
    const changed = new Map<Value, Tensor>();
    const nodes = graph.nodes.flatMap((node): readonly Node[] => {
      const product = productOf(graph, node);
      const found =
        product === undefined ? undefined : (blocksInFloat(graph, product) ?? integersInFloat(graph, product));
      if (found === undefined) return [node];
      changed.set(found.weight, found.tensor);
      return found.nodes;
    });
    return changed.size === 0 ? undefined : live(withWeights(graph, nodes, changed));
  },
};

/** Nodes whose kernel computes alpha * A B with another alpha, or an activation behind it, have no integer form. */
export const isPlain = (node: Node): boolean => {
  const { alpha, beta } = node.attrs;
  const isOne = (a: typeof alpha): boolean => a === undefined || (a.kind === 'float' && a.value === 1);
  return node.op !== 'FusedGemm' && intAttribute(node, 'transA') !== 1 && isOne(alpha) && isOne(beta);
};

/** A float matrix that 8 bits can stand for: its numbers are finite. */
export const isFloatProduct = (tensor: Tensor): boolean =>
  tensor.dtype === 'float32' && elementCount(tensor.dims) > 0 && float32Of(tensor).every(Number.isFinite);
