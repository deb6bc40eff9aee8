import { type Graph, indexOf, type Node, type Value } from '../../graph/graph.ts';
import { findOp } from '../../graph/ops/index.ts';
import { readsRows, type Site, sitesAt, storedRows } from '../../graph/sites.ts';
import { elementCount } from '../../graph/tensor.ts';

/** A place at which a value is read. */
export interface Reading {
  readonly node: Node;
  readonly position: number;
  /** The value that is read there: the one that was asked about, or what became of it. */
  readonly value: Value;
}

/** Inputs that say how large a result is or where it begins: what goes in there is no content. */
const sizes: Readonly<Record<string, readonly number[]>> = {
  ...{ ConstantOfShape: [0], EyeLike: [0], Expand: [1], OneHot: [1], Pad: [1, 3], Range: [0, 1, 2], Reshape: [1] },
  ...{ Shape: [0], Size: [0], Slice: [1, 2, 3, 4], Split: [1], Squeeze: [1], Tile: [1], TopK: [1], Trilu: [1] },
  ...{ Unsqueeze: [1], ReduceMean: [1], ReduceSum: [1], ReduceMax: [1], ReduceMin: [1], CumSum: [1] },
};

export const isSize = ({ node, position }: Reading): boolean =>
  node.domain === '' && sizes[node.op]?.includes(position) === true;

/** Operators that keep the numbers of their first input in some other form, besides those that only view it. */
const keeping: ReadonlySet<string> = new Set(['Cast', 'Clip', 'Expand', 'Slice', 'Split', 'Tile', 'Transpose']);
/** Operators that keep them where the others are single numbers: an offset, a bound. */
const shifting: ReadonlySet<string> = new Set(['Add', 'Max', 'Min', 'Sub']);

const isNumber = (graph: Graph, name: Value | null): boolean => {
  const tensor = name === null ? undefined : graph.weights.get(name);
  return tensor !== undefined && elementCount(tensor.dims) === 1;
};

/** Whether the same numbers come out again, in another shape, order or type, or all of them moved by as much. */
export const keepsNumbers = (graph: Graph, { node, position }: Reading): boolean => {
  if (node.domain !== '') return false;
  if (node.op === 'Where') return position > 0;
  if (position === 0 && (keeping.has(node.op) || findOp('', node.op, 1000)?.view === true)) return true;
  return shifting.has(node.op) && node.inputs.every((input, i) => i === position || isNumber(graph, input));
};

/** Every place at which a value is read, or what becomes of it behind the places that `goesOn` says, nearest first. */
export const readingsOf = (graph: Graph, from: Value, goesOn: (at: Reading) => boolean): readonly Reading[] => {
  const { users } = indexOf(graph);
  const seen = new Set<Value>([from]);
  const open = [from];
  const found: Reading[] = [];
  for (const value of open) {
    for (const node of users.get(value) ?? []) {
      for (const [position, input] of node.inputs.entries()) {
        if (input !== value) continue;
        const at = { node, position, value };
        found.push(at);
        if (!goesOn(at)) continue;
        for (const output of node.outputs) {
          if (seen.has(output)) continue;
          seen.add(output);
          open.push(output);
        }
      }
    }
  }
  return found;
};

/** Where the very numbers of an input are read. */
export const directReadings = (graph: Graph, input: Value): readonly Reading[] =>
  readingsOf(graph, input, (at) => keepsNumbers(graph, at));

/** Where anything is read that depends on what an input holds, not only on how large it is. */
export const contentReadings = (graph: Graph, input: Value): readonly Reading[] =>
  readingsOf(graph, input, (at) => !isSize(at));

/** A table that numbers look rows up in. */
export interface Table {
  readonly rows: number;
  /** Whether its rows are part of what the model learned: tables of angles are not. */
  readonly learned: boolean;
  readonly node: Node;
}

/** Tables of a node that looks up several at once: of ids first, of positions that it counts itself, and of types last. */
export const severalTablesOf = (graph: Graph, node: Node): readonly number[] => {
  const rows = sitesAt(graph, node).flatMap((site) => (site.use.kind === 'lookup' ? (rowsAt(graph, site) ?? []) : []));
  return rows.length > 1 ? rows : [];
};

const IDS = 0;
const TYPES = 1;

const tableAt = (graph: Graph, { node, position }: Reading): readonly Table[] => {
  const [ids, , types] = severalTablesOf(graph, node);
  if (ids !== undefined) {
    const rows = position === IDS ? ids : position === TYPES ? types : undefined;
    return rows === undefined ? [] : [{ rows, learned: true, node }];
  }
  if (position === 0) return [];
  const stored = storedRows(graph, node);
  if (stored !== undefined) return [{ rows: stored, learned: true, node }];
  return sitesAt(graph, node).flatMap((site): readonly Table[] => {
    const rows = rowsAt(graph, site);
    return rows === undefined ? [] : [{ rows, learned: site.use.kind === 'lookup', node }];
  });
};

/** Rows of what a node looks up in a table; undefined where it does something else. */
const rowsAt = (graph: Graph, site: Site): number | undefined => {
  const dims = graph.weights.get(site.weight)?.dims ?? [];
  if (site.use.kind === 'lookup') return dims[site.use.axis];
  return readsRows(site) && site.use.input === 0 && dims.length > 1 ? dims[0] : undefined;
};

/** Tables that the readings look up rows of. */
export const tablesOf = (graph: Graph, readings: readonly Reading[]): readonly Table[] =>
  readings.flatMap((at) => tableAt(graph, at));
