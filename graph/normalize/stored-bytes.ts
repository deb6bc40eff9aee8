import { GraphBuilder } from '../builder.ts';
import { type Graph, indexOf, type Node, type Value, value } from '../graph.ts';
import type { Tensor } from '../tensor.ts';
import { namesBeside } from './bodies.ts';
import { decoded, type Encoded, isFewBits, isWhole } from './encoded.ts';
import type { Pass } from './pass.ts';
import { storedBefore, storedLeft } from './stored-samples.ts';

const own: ReadonlySet<string> = new Set(['', 'com.microsoft']);

const isDequantizer = ({ domain, op }: Node): boolean => own.has(domain) && op === 'DequantizeLinear';
const isBlockTable = ({ domain, op }: Node): boolean => domain === 'com.microsoft' && op === 'GatherBlockQuantized';
const isLookup = ({ domain, op }: Node): boolean => domain === '' && op === 'Gather';

const intAttribute = ({ attrs }: Node, name: string, fallback: number): number => {
  const attribute = attrs[name];
  return attribute?.kind === 'int' ? attribute.value : fallback;
};

/** Rows of a constant. */
interface Lookup {
  readonly table: Tensor;
  readonly indices: Value;
  readonly axis: number;
}

const lookupAt = (graph: Graph, name: Value | null | undefined): Lookup | undefined => {
  const node = name == null ? undefined : indexOf(graph).producer.get(name);
  const [source, indices] = node === undefined || !isLookup(node) ? [] : node.inputs;
  const table = source == null ? undefined : graph.weights.get(source);
  if (node === undefined || table === undefined || indices == null) return undefined;
  const axis = intAttribute(node, 'axis', 0);
  return { table, indices, axis: axis < 0 ? axis + table.dims.length : axis };
};

/** Whether anything but the way back to floats touches few bits: such a file computes in them, and stays as it is. */
const computesInFew = (graph: Graph): boolean => {
  const { users } = indexOf(graph);
  const isFew = (name: Value | null): boolean => name !== null && isFewBits(graph.types.get(name)?.dtype);
  const isRead = (node: Node): boolean =>
    lookupAt(graph, node.outputs[0]) !== undefined &&
    node.outputs.every((output) => !graph.outputs.includes(output) && (users.get(output) ?? []).every(isDequantizer));
  const isWay = (node: Node): boolean => isDequantizer(node) || isBlockTable(node) || isRead(node);
  return graph.nodes.some((node) => !isWay(node) && (node.inputs.some(isFew) || node.outputs.some(isFew)));
};

/** What is stored, and by which rows of it are read; all of it where nothing says. */
interface Stored {
  readonly encoded: Encoded;
  readonly rows?: Omit<Lookup, 'table'>;
}

const made = (encoded: Encoded, rows?: Stored['rows']): Stored | undefined =>
  isWhole(encoded) ? { encoded, ...(rows === undefined ? {} : { rows }) } : undefined;

/** The axis of a table that an axis of rows of it is; undefined for those of the indices. */
const axisOfTable = (graph: Graph, { table, indices, axis }: Lookup, of: number): number | undefined => {
  const rank = graph.types.get(indices)?.shape?.length;
  if (rank === undefined) return undefined;
  const place = of < 0 ? of + table.dims.length + rank - 1 : of;
  if (place < axis) return place;
  return place < axis + rank ? undefined : place - rank + 1;
};

/** Floats of rows of integers: steps are the same for all rows, or rows themselves. */
const dequantizedRows = (graph: Graph, node: Node, lookup: Lookup): Stored | undefined => {
  const [, steps, zeros] = node.inputs;
  const constantOf = (name: Value | null | undefined): Tensor | undefined => {
    if (name == null) return undefined;
    const also = lookupAt(graph, name);
    return also?.indices === lookup.indices && also.axis === lookup.axis ? also.table : graph.weights.get(name);
  };
  const [step, zero] = [constantOf(steps), constantOf(zeros)];
  const block = intAttribute(node, 'block_size', 0);
  const isScalar = step?.dims.every((dim) => dim === 1) === true && graph.weights.has(value(steps ?? ''));
  const axis = isScalar ? 0 : axisOfTable(graph, lookup, intAttribute(node, 'axis', 1));
  // Steps that are rows belong to blocks, and those of blocks are rows.
  const isApart = (lookupAt(graph, steps) === undefined) !== (block === 0);
  if (step === undefined || axis === undefined || isApart || (zeros != null && zero === undefined)) return undefined;
  const { table: integers, ...rows } = lookup;
  return made({ integers, steps: step, zeros: zero, zero: 0, axis, block, packed: false }, rows);
};

const dequantized = (graph: Graph, node: Node): Stored | undefined => {
  const lookup = lookupAt(graph, node.inputs[0]);
  if (lookup !== undefined) return dequantizedRows(graph, node, lookup);
  const [integers, steps, zeros] = node.inputs.map((name) => (name === null ? undefined : graph.weights.get(name)));
  const hasZeros = node.inputs[2] != null;
  if (integers === undefined || steps === undefined || (hasZeros && zeros === undefined)) return undefined;
  const axis = intAttribute(node, 'axis', 1);
  const block = intAttribute(node, 'block_size', 0);
  const place = axis < 0 ? axis + integers.dims.length : axis;
  return made({ integers, steps, zeros, zero: 0, axis: place, block, packed: false });
};

/** Rows of a table in blocks of few bits, which com.microsoft has an operator for. */
const blockTable = (graph: Graph, node: Node): Stored | undefined => {
  const constantOf = (position: number): Tensor | undefined => graph.weights.get(value(node.inputs[position] ?? ''));
  const [integers, steps, zeros] = [constantOf(0), constantOf(2), constantOf(3)];
  const [, indices] = node.inputs;
  if (integers === undefined || steps === undefined || indices == null) return undefined;
  if (node.inputs[3] != null && zeros === undefined) return undefined;
  const bits = intAttribute(node, 'bits', 4);
  const inBytes = integers.dtype === 'uint8';
  const rank = integers.dims.length;
  const [axis, along] = [intAttribute(node, 'gather_axis', 0), intAttribute(node, 'quantize_axis', 1)];
  return made(
    {
      ...{ integers, steps, zeros, packed: inBytes && bits === 4, block: intAttribute(node, 'block_size', 128) },
      ...{ zero: inBytes ? 2 ** (bits - 1) : 0, axis: along < 0 ? along + rank : along },
    },
    { indices, axis: axis < 0 ? axis + rank : axis },
  );
};

const storedAt = (graph: Graph, node: Node): Stored | undefined => {
  if (node.outputs.some((output) => graph.outputs.includes(output)) && isDequantizer(node)) return undefined;
  if (isBlockTable(node)) return blockTable(graph, node);
  return isDequantizer(node) ? dequantized(graph, node) : undefined;
};

const run = (graph: Graph): Graph => {
  if (!graph.nodes.some((node) => isDequantizer(node) || isBlockTable(node)) || computesInFew(graph)) return graph;
  const found = new Map<Node, Stored>();
  for (const node of graph.nodes) {
    const stored = storedAt(graph, node);
    if (stored !== undefined) found.set(node, stored);
  }
  if (found.size === 0) return graph;
  const fresh = namesBeside(graph);
  const builder = GraphBuilder.like(graph);
  for (const node of graph.nodes) {
    const stored = found.get(node);
    const [output] = node.outputs;
    if (stored === undefined || output === undefined) builder.add(node, (name) => graph.types.get(name));
    else if (stored.rows === undefined) builder.weight(output, decoded(stored.encoded));
    else {
      const table = builder.weight(fresh(`${output}/table`), decoded(stored.encoded));
      builder.op('Gather', [table, stored.rows.indices], { axis: stored.rows.axis }, output);
    }
  }
  return builder.freeze(graph.outputs);
};

/** Weights that are only stored in 8 or 4 bits are floats again; a graph that computes in few bits stays as it is. */
export const storedBytes: Pass = { name: 'stored bytes', run, changes: storedBefore, leaves: storedLeft };
