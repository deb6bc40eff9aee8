import { GraphBuilder } from '../../graph/builder.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import { uniqueNames } from '../../graph/node-names.ts';
import { elementCount, tensorOf } from '../../graph/tensor.ts';

/** What is made of a value where it is read, under its own name. */
export type Inserted = (builder: GraphBuilder, whole: Value, name: Value) => void;

/** The graph with something between a value and whoever reads it. */
export const withInserted = (graph: Graph, inserted: ReadonlyMap<Value, Inserted>): Graph => {
  const builder = GraphBuilder.like(graph);
  for (const node of graph.nodes) {
    const changed = node.outputs.filter((output) => inserted.has(output));
    const outputs = node.outputs.map((output) => (changed.includes(output) ? value(`${output}/whole`) : output));
    const name = changed.length === 0 ? node.name : `${node.name}/whole`;
    builder.add({ ...node, name, outputs }, (output) => graph.types.get(value(output.replace(/\/whole$/, ''))));
    for (const output of changed) inserted.get(output)?.(builder, value(`${output}/whole`), output);
  }
  // A node may be called as a value is that another computes.
  return uniqueNames(builder.freeze(graph.outputs));
};

/** 0 where something goes and 1 where it stays. */
const ones = (count: number, gone: ReadonlySet<number>): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, (_, i) => (gone.has(i) ? 0 : 1));

/** Zeros at some indices of one axis. */
export const zeroed =
  (rank: number, axis: number, count: number, gone: ReadonlySet<number>): Inserted =>
  (builder, whole, name) => {
    const dims = Array.from({ length: rank }, (_, at) => (at === axis ? count : 1));
    builder.op('Mul', [whole, builder.constant(tensorOf('float32', dims, ones(count, gone)))], {}, name);
  };

/** Zeros at some heads of what attention mixed: (batch, heads, queries, width), or with groups between. */
export const headsZeroed =
  (dims: readonly number[], gone: ReadonlySet<number>): Inserted =>
  (builder, whole, name) => {
    const mask = tensorOf('float32', [1, ...dims, 1, 1], ones(elementCount(dims), gone));
    builder.op('Mul', [whole, builder.constant(mask)], {}, name);
  };

/** The same of (batch x heads, queries, width): as many masks one after the other as there are examples. */
export const joinedHeadsZeroed =
  (heads: number, gone: ReadonlySet<number>): Inserted =>
  (builder, whole, name) => {
    const mask = builder.constant(tensorOf('float32', [heads], ones(heads, gone)));
    const rows = builder.op('Slice', [builder.op('Shape', [whole]), builder.ints([0]), builder.ints([1])]);
    const examples = builder.op('Div', [rows, builder.ints([heads])]);
    const repeated = builder.op('Unsqueeze', [builder.op('Tile', [mask, examples]), builder.ints([1, 2])]);
    builder.op('Mul', [whole, repeated], {}, name);
  };

/** Another value in the place of one, which is still computed. */
export const replacedBy =
  (other: Value): Inserted =>
  (builder, whole, name) => {
    const nothing = builder.op('Mul', [whole, builder.scalar('float32', 0)]);
    builder.op('Add', [nothing, other], {}, name);
  };
