import { type Graph, indexOf, type Node, readingAs, type Value, value } from '../../graph/graph.ts';
import { unfuse } from '../../graph/normalize/unfuse/index.ts';
import { intAttr } from '../../graph/ops/shared-structure.ts';
import { byteSize, type DType, type Tensor } from '../../graph/tensor.ts';
import { rebuilt } from './rebuild.ts';

/** What stands for the output of a node where the graph computes in floats. */
interface InFloats {
  readonly nodes?: readonly Node[];
  /** Sizes of the matrices that its integers stand for, by name. */
  readonly weights?: Readonly<Record<Value, readonly number[]>>;
  /** A value that it only rounds. */
  readonly same?: Value;
}

type Reading = (node: Node, output: Value, graph: Graph) => InFloats | undefined;

const nodeOf = (op: string, inputs: Node['inputs'], output: Value, attrs: Node['attrs'] = {}): Node => ({
  ...{ domain: '', op, name: output, inputs, outputs: [output], attrs },
});

/** To 8 bits: an activation stays what it was, a weight becomes the matrix that it stands for. */
const rounding: Reading = ({ inputs: [x] }, output, graph) => {
  if (x == null) return undefined;
  const weight = graph.weights.get(x);
  return weight === undefined ? { same: x } : { weights: { [output]: weight.dims } };
};

const bytes: ReadonlySet<DType | undefined> = new Set(['int8', 'uint8']);

/** Whether bytes are floats that were rounded and moved about since: rows of a table of bytes are none. */
const wereFloats = (x: Value, graph: Graph): boolean => {
  const node = indexOf(graph).producer.get(x);
  if (node === undefined || node.op === 'QuantizeLinear') return node !== undefined;
  const [source] = node.inputs;
  return source != null && bytes.has(graph.types.get(source)?.dtype) && wereFloats(source, graph);
};

/** Back from 8 bits. */
const widening: Reading = (node, output, graph) => {
  const [x] = node.inputs;
  return x == null || (!graph.weights.has(x) && !wereFloats(x, graph)) ? undefined : rounding(node, output, graph);
};

/** x W + bias, W in blocks of few bits: (K, N) in numbers. */
const blocks: Reading = (node, output) => {
  const [x, , , , , bias] = node.inputs;
  const [inner, outer] = [intAttr(node, 'K', 0), intAttr(node, 'N', 0)];
  if (x == null || inner * outer === 0) return undefined;
  const [matrix, product] = [value(`${output}/matrix`), value(`${output}/product`)];
  const weights = { [matrix]: [inner, outer] };
  if (bias == null) return { weights, nodes: [nodeOf('MatMul', [x, matrix], output)] };
  return { weights, nodes: [nodeOf('MatMul', [x, matrix], product), nodeOf('Add', [product, bias], output)] };
};

/** Rows of a table in blocks of few bits: (rows, width) in numbers. */
const rowsOfBlocks: Reading = (node, output, graph) => {
  const [table, ids] = node.inputs;
  const rows = table == null ? undefined : graph.weights.get(table)?.dims[0];
  const width = graph.types.get(output)?.shape?.at(-1);
  if (ids == null || rows === undefined || typeof width !== 'number') return undefined;
  const whole = value(`${output}/table`);
  return { weights: { [whole]: [rows, width] }, nodes: [nodeOf('Gather', [whole, ids], output)] };
};

/** Attention whose projections compute in 8 bits: the same in floats, which is taken apart behind. */
const attention: Reading = (node, output, graph) => {
  const [rounded, stored, bias, , , mask = null, , , past] = node.inputs;
  const made = rounded == null ? undefined : indexOf(graph).producer.get(rounded);
  const dims = stored == null ? undefined : graph.weights.get(stored)?.dims;
  const [x] = made?.inputs ?? [];
  if (x == null || dims === undefined || bias == null || past != null) return undefined;
  const matrix = value(`${output}/matrix`);
  return { weights: { [matrix]: dims }, nodes: [{ ...node, op: 'Attention', inputs: [x, matrix, bias, mask] }] };
};

/** norm(x + skip + bias); `vectors` are the norm's own. */
const skipping =
  (norm: string, vectors: number): Reading =>
  (node, output) => {
    const [x, skip] = node.inputs;
    const bias = node.inputs[2 + vectors];
    const [, , , total = value(`${output}/sum`)] = node.outputs;
    if (x == null || skip == null) return undefined;
    const part = value(`${output}/part`);
    const sums =
      bias == null
        ? [nodeOf('Add', [x, skip], total)]
        : [nodeOf('Add', [x, bias], part), nodeOf('Add', [part, skip], total)];
    const normed = [total, ...node.inputs.slice(2, 2 + vectors)];
    return { nodes: [...sums, nodeOf(norm, normed, output, { axis: { kind: 'int', value: -1 } })] };
  };

const readings: Readonly<Record<string, Reading>> = {
  ':QuantizeLinear': rounding,
  ':DequantizeLinear': widening,
  'com.microsoft:QuantizeLinear': rounding,
  'com.microsoft:DequantizeLinear': widening,
  'com.microsoft:MatMulNBits': blocks,
  'com.microsoft:GatherBlockQuantized': rowsOfBlocks,
  'com.microsoft:QAttention': attention,
  'com.microsoft:SkipLayerNormalization': skipping('LayerNormalization', 2),
  'com.microsoft:SkipSimplifiedLayerNormalization': skipping('RMSNormalization', 1),
};

/** Only its size is asked: what the integers stand for takes no memory. */
const sized = (dims: readonly number[]): Tensor => {
  const length = byteSize('float32', dims);
  return { dtype: 'float32', dims, bytes: { length, read: () => new Uint8Array(length) } };
};

const inFloatsAt = (node: Node, graph: Graph): InFloats | undefined => {
  const [output] = node.outputs;
  return output === undefined ? undefined : readings[`${node.domain}:${node.op}`]?.(node, output, graph);
};

/**
 * The graph with its rounding left out, weights in the sizes of floats, and sums apart from the norms behind them: what blocks,
 * heads and neurons are found in. It has the shape of the model and none of its numbers.
 */
export const inFloats = (graph: Graph): Graph => {
  const changed = new Map(graph.nodes.flatMap((node) => [[node, inFloatsAt(node, graph)] as const]));
  const all = [...changed.values()].filter((one) => one !== undefined);
  if (all.length === 0) return graph;
  const sizes = all.flatMap(({ weights = {} }) => Object.entries(weights));
  const weights = new Map([...graph.weights, ...sizes.map(([name, dims]) => [value(name), sized(dims)] as const)]);
  const alias = new Map<Value, Value>();
  const read = (node: Node): Node => readingAs(node, (input) => alias.get(input) ?? input);
  const floats = rebuilt(graph, weights, (node) => {
    const { nodes = [], same } = changed.get(node) ?? { nodes: [node] };
    const [output] = node.outputs;
    if (same === undefined || output === undefined) return nodes.map(read);
    alias.set(output, alias.get(same) ?? same);
    return graph.outputs.includes(output) ? [read(nodeOf('Identity', [same], output))] : [];
  });
  return unfuse.run(floats);
};
