import type { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import { type Value, value } from '../../graph/graph.ts';
import { elementCount, tensorOf } from '../../graph/tensor.ts';
import type { Feeds, HostTensor } from '../engine.ts';

/** Rounds in which repeated rows are added up. Each adds as many as the root of the most frequent id asks for. */
const ROUNDS = 3;

/** What the host feeds for the rows of one table, all computed from the ids that were looked up. */
export interface RowInputs {
  /** One matrix a round: which rows of the round before make one sum. Row 0 is the sum of nothing. */
  readonly rounds: readonly Value[];
  /** Where each row of the table finds its sum among the rows of all rounds, laid end to end. */
  readonly place: Value;
}

const rowInputs = (table: Value): RowInputs => ({
  rounds: Array.from({ length: ROUNDS }, (_, round) => value(`update/rows/${table}/round${round}`)),
  place: value(`update/rows/${table}/place`),
});

const int32 = (dims: readonly number[], data: Int32Array): HostTensor => ({ dtype: 'int32', dims, data });

/** Positions of each id that occurs, in their order; 0 is the row of zeros in front. */
const positionsOf = (ids: Int32Array): Map<number, readonly number[]> => {
  const positions = new Map<number, number[]>();
  ids.forEach((id, i) => {
    const own = positions.get(id);
    if (own === undefined) positions.set(id, [i + 1]);
    else own.push(i + 1);
  });
  return positions;
};

/** Rows per sum: enough that nothing is left to add after the last round. */
const fanIn = (most: number): number => {
  let fan = 2;
  while (fan ** ROUNDS < most) fan++;
  return fan;
};

/** One round: ids with several rows have fewer of them behind it, those with one are done. */
const roundOf = (
  open: ReadonlyMap<number, readonly number[]>,
  fan: number,
): { readonly sums: HostTensor; readonly left: Map<number, readonly number[]> } => {
  const rows: number[] = Array.from({ length: fan }, () => 0);
  const left = new Map<number, readonly number[]>();
  for (const [id, items] of open) {
    const made: number[] = [];
    for (let at = 0; at < items.length; at += fan) {
      made.push(rows.length / fan);
      for (let j = 0; j < fan; j++) rows.push(items[at + j] ?? 0);
    }
    left.set(id, made);
  }
  return { sums: int32([rows.length / fan, fan], Int32Array.from(rows)), left };
};

/**
 * What turns gradients of rows that were looked up into those of a table of this height: repeated rows are added in a tree,
 * in the order of their positions, so the sum is the same in every run; what no id names finds the row of zeros.
 */
export const rowFeeds = ({ rounds, place }: RowInputs, ids: Int32Array, height: number): Feeds => {
  const all = positionsOf(ids.map((id) => (id < 0 ? id + height : id)));
  const fan = fanIn([...all.values()].reduce((most, { length }) => Math.max(most, length), 1));
  const places = new Int32Array(height);
  const feeds: Record<string, HostTensor> = { [place]: int32([height], places) };
  let [open, start, size] = [all, 0, ids.length + 1];
  const settle = (): void => {
    const several = new Map<number, readonly number[]>();
    for (const [id, items] of open) {
      if (items.length > 1) several.set(id, items);
      else places[id] = start + (items[0] ?? 0);
    }
    open = several;
  };
  settle();
  for (const round of rounds) {
    const { sums, left } = roundOf(open, fan);
    feeds[round] = sums;
    [open, start, size] = [left, start + size, sums.dims[0] ?? 0];
    settle();
  }
  return feeds;
};

/** The gradient of a table: rows are gathered and added, round by round, then one gather puts each where it belongs. */
export const emitRowSums = (
  builder: GraphBuilder,
  table: Value,
  dims: readonly number[],
  rows: readonly Value[],
): { readonly gradient: Value; readonly inputs: RowInputs } => {
  const [height = 1, ...rest] = dims;
  const width = elementCount(rest);
  const inputs = rowInputs(table);
  const zero = builder.constant(tensorOf('float32', [1, width], new Float32Array(width)));
  const flat = rows.map((one) => builder.op('Reshape', [one, builder.ints([-1, width])]));
  let round = builder.op('Concat', [zero, ...flat], { axis: 0 }); // (1 + ids, width)
  const all = [round];
  for (const input of inputs.rounds) {
    const sums = builder.input(input, 'int32', [symbol(`${input}_sums`), symbol(`${input}_rows`)]);
    const gathered = builder.op('Gather', [round, sums], { axis: 0 }); // (sums, rows, width)
    round = builder.op('ReduceSum', [gathered, builder.ints([1])], { keepdims: 0 }); // (sums, width)
    all.push(round);
  }
  const place = builder.input(inputs.place, 'int32', [height]);
  const placed = builder.op('Gather', [builder.op('Concat', all, { axis: 0 }), place], { axis: 0 }); // (height, width)
  const gradient = rest.length === 1 ? placed : builder.op('Reshape', [placed, builder.ints(dims)]);
  return { gradient, inputs };
};
