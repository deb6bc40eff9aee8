import { GraphBuilder } from '../builder.ts';
import { symbol } from '../dim.ts';
import type { Graph, Node, Value } from '../graph.ts';
import { arrayOf, type DType, derivedBytes, elementCount, type Tensor, tensorOf, vector } from '../tensor.ts';
import type { Pass } from './pass.ts';

const bytes: ReadonlySet<DType | undefined> = new Set<DType>(['int8', 'uint8']);

const isDequantizer = (node: Node): boolean => node.domain === '' && node.op === 'DequantizeLinear';

/** Whether anything but the way back to floats touches 8 bits: such a file computes in them, and stays as it is. */
const computesInBytes = (graph: Graph): boolean => {
  const isByte = (name: Value | null): boolean => name !== null && bytes.has(graph.types.get(name)?.dtype);
  return graph.nodes.some((node) => !isDequantizer(node) && (node.inputs.some(isByte) || node.outputs.some(isByte)));
};

interface Encoded {
  readonly integers: Tensor;
  readonly steps: Tensor;
  readonly zeros: Tensor | undefined;
  readonly axis: number;
  /** Indices along the axis that share a step; 0 where all of one index do. */
  readonly block: number;
}

const intAttribute = (node: Node, name: string, fallback: number): number => {
  const attribute = node.attrs[name];
  return attribute?.kind === 'int' ? attribute.value : fallback;
};

const encodedAt = (graph: Graph, node: Node): Encoded | undefined => {
  const [integers, steps, zeros] = node.inputs.map((name) => (name === null ? undefined : graph.weights.get(name)));
  const hasZeros = node.inputs[2] != null;
  if (integers === undefined || steps?.dtype !== 'float32' || (hasZeros && zeros === undefined)) return undefined;
  const axis = intAttribute(node, 'axis', 1);
  const place = axis < 0 ? axis + integers.dims.length : axis;
  const encoded = { integers, steps, zeros, axis: place, block: intAttribute(node, 'block_size', 0) };
  return bytes.has(integers.dtype) && stepOf(encoded) !== undefined ? encoded : undefined;
};

/** Which step belongs to an element; undefined where sizes do not fit. */
const stepOf = ({ integers: { dims }, steps, axis, block }: Encoded): ((at: number) => number) | undefined => {
  const size = dims[axis] ?? 1;
  const count = elementCount(steps.dims);
  const behind = elementCount(dims.slice(axis + 1));
  if (count === 1) return () => 0;
  if (block === 0) return count === size ? (at) => Math.floor(at / behind) % size : undefined;
  const blocks = Math.ceil(size / block);
  if (count !== elementCount(dims.with(axis, blocks))) return undefined;
  return (at) => {
    const along = Math.floor(at / behind) % size;
    return (Math.floor(at / (behind * size)) * blocks + Math.floor(along / block)) * behind + (at % behind);
  };
};

const smallIntegers = (tensor: Tensor): Int8Array | Uint8Array =>
  tensor.dtype === 'int8' ? arrayOf({ ...tensor, dtype: 'int8' }) : arrayOf({ ...tensor, dtype: 'uint8' });

/** (x - zero point) step, as the runtime computes it: one rounding. */
const decoded = (encoded: Encoded): Tensor => {
  const { dims } = encoded.integers;
  const count = elementCount(dims);
  const make = (): Uint8Array => {
    const step = stepOf(encoded) ?? (() => 0);
    const from = smallIntegers(encoded.integers);
    const steps = arrayOf({ ...encoded.steps, dtype: 'float32' });
    const zeros = encoded.zeros === undefined ? undefined : smallIntegers(encoded.zeros);
    const to = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      const at = step(i);
      to[i] = ((from[i] ?? 0) - (zeros?.[at] ?? 0)) * (steps[at] ?? 0);
    }
    return new Uint8Array(to.buffer);
  };
  return { dtype: 'float32', dims, bytes: derivedBytes(4 * count, make) };
};

const run = (graph: Graph): Graph => {
  if (!graph.nodes.some(isDequantizer) || computesInBytes(graph)) return graph;
  const floats = new Map<Node, Tensor>();
  for (const node of graph.nodes) {
    const isInner = isDequantizer(node) && !node.outputs.some((output) => graph.outputs.includes(output));
    const encoded = isInner ? encodedAt(graph, node) : undefined;
    if (encoded !== undefined) floats.set(node, decoded(encoded));
  }
  if (floats.size === 0) return graph;
  const builder = GraphBuilder.like(graph);
  for (const node of graph.nodes) {
    const tensor = floats.get(node);
    const [output] = node.outputs;
    if (tensor !== undefined && output !== undefined) builder.weight(output, tensor);
    else builder.add(node, (name) => graph.types.get(name));
  }
  return builder.freeze(graph.outputs);
};

const stored = (attrs: { readonly axis?: number; readonly block_size?: number }, steps: Tensor, zeros?: Tensor) => {
  const builder = new GraphBuilder('stored', { '': 21 });
  const x = builder.input('x', 'float32', [symbol('batch'), 2]);
  const integers = builder.weight('integers', tensorOf('int8', [2, 3], Int8Array.of(1, -128, 127, 0, 5, -6)));
  const zero = zeros === undefined ? [] : [builder.weight('zeros', zeros)];
  const w = builder.op('DequantizeLinear', [integers, builder.weight('steps', steps), ...zero], attrs);
  return builder.freeze([builder.op('MatMul', [x, w], {}, 'y')]);
};

const rounding = (): Graph => {
  const builder = new GraphBuilder('rounding');
  const x = builder.input('x', 'float32', [symbol('batch'), 2]);
  const [step, zero] = [builder.scalar('float32', 0.1), builder.scalar('int8', 0)];
  const rounded = builder.op('DequantizeLinear', [builder.op('QuantizeLinear', [x, step, zero]), step, zero]);
  const weight = builder.weight('integers', tensorOf('int8', [2, 1], Int8Array.of(3, -4)));
  return builder.freeze([
    builder.op('MatMul', [rounded, builder.op('DequantizeLinear', [weight, step, zero])], {}, 'y'),
  ]);
};

/** Weights that are only stored in 8 bits are floats again; a graph that computes in 8 bits stays as it is. */
export const storedBytes: Pass = {
  name: 'stored bytes',
  run,
  changes: [
    { name: 'one step', graph: () => stored({}, vector('float32', [0.1], [])) },
    {
      name: 'a step and a zero point a column',
      graph: () =>
        stored({ axis: -1 }, vector('float32', [0.1, 3, 0.7]), tensorOf('int8', [3], Int8Array.of(1, -2, 3))),
    },
    {
      name: 'a step for every two rows',
      graph: () => stored({ axis: 0, block_size: 2 }, vector('float32', [0.1, 3, 0.7], [1, 3])),
    },
  ],
  leaves: [{ name: 'activations that are rounded, too', graph: rounding }],
};
