import { type Graph, indexOf, type Node, type Value } from '../../graph/graph.ts';
import { looksUpRows, sitesOf } from '../../graph/sites.ts';
import { elementCount, numbersOf, type Tensor, tensorOf } from '../../graph/tensor.ts';
import { modelError } from '../../ground/errors.ts';
import { beyondOf, longestOf, storedBeyond } from '../bare/positions.ts';
import type { Model, ModelInfo } from '../model.ts';
import { inputOf } from '../signature.ts';
import { rotationSaid, slowed } from './turns.ts';

/**
 * How positions that no text had are made of those that texts had: the same again, or those between them; `scale` is for rotary
 * positions alone.
 */
export type Extension = 'copy' | 'interpolate' | 'scale';

/** Rows of a table from `first` on, as many more: row i is row i modulo their number, or stands between two of them. */
const extended = (table: Tensor, first: number, rows: number, by: Extension): Tensor => {
  const [count = 0, width = 0] = table.dims;
  const known = count - first;
  const numbers = numbersOf(table);
  const made = new Float32Array((first + rows) * width);
  made.set(numbers.slice(0, first * width));
  const at = (row: number, i: number): number => numbers[(first + row) * width + i] ?? 0;
  for (let row = 0; row < rows; row++) {
    const place = by === 'copy' ? row % known : (row * (known - 1)) / Math.max(1, rows - 1);
    const [below, share] = [Math.floor(place), place - Math.floor(place)];
    const above = Math.min(below + 1, known - 1);
    for (let i = 0; i < width; i++) {
      made[(first + row) * width + i] = (1 - share) * at(below, i) + share * at(above, i);
    }
  }
  return tensorOf('float32', [first + rows, width], made);
};

/** A row of positions that goes on counting. */
const longer = (row: Tensor, longest: number): Tensor => {
  const [first = 0] = numbersOf(row);
  const numbers = BigInt64Array.from({ length: longest }, (_, i) => BigInt(first + i));
  return tensorOf('int64', [...row.dims.slice(0, -1), longest], numbers);
};

/** Tables that are looked up by positions, and the row of the first one. */
const tablesIn = (graph: Graph, positions: readonly Value[]) =>
  sitesOf(graph).flatMap((site) => {
    const [, index] = site.node.inputs;
    const table = graph.weights.get(site.weight);
    if (!looksUpRows(site) || index == null || table?.dims.length !== 2 || site.through.length > 0) return [];
    const beyond = positions.includes(index) ? -1 : beyondOf(graph, index);
    return beyond === undefined ? [] : [{ name: site.weight, table, first: beyond + 1 }];
  });

/** Whether a row of numbers is cut to the length of a text. */
const isCut = ({ op }: Node): boolean => op === 'Slice';

const storedRows = (graph: Graph, longest: number): readonly (readonly [Value, Tensor])[] =>
  [...graph.weights].filter(
    ([name, tensor]) =>
      tensor.dtype === 'int64' &&
      storedBeyond(tensor) !== undefined &&
      elementCount(tensor.dims) === tensor.dims.at(-1) &&
      elementCount(tensor.dims) >= longest &&
      (indexOf(graph).users.get(name) ?? []).some(isCut),
  );

const withTypes = (graph: Graph, weights: ReadonlyMap<Value, Tensor>): Graph => {
  const types = [...weights].map(([name, { dtype, dims }]) => [name, { dtype, shape: dims }] as const);
  return { ...graph, weights, types: new Map([...graph.types, ...types]) };
};

/** What the model's own config.json says of positions: tables may have rows that no text reaches. */
const said = (
  { checkpoint, maxLength }: ModelInfo,
  to: number,
  by: Extension,
  turns: boolean,
): Pick<ModelInfo, 'checkpoint'> => {
  const known = checkpoint?.max_position_embeddings;
  if (checkpoint === undefined || typeof known !== 'number') return {};
  const longer = { ...checkpoint, max_position_embeddings: known + to - maxLength };
  return { checkpoint: turns ? { ...longer, ...rotationSaid(checkpoint, by, to / maxLength) } : longer };
};

/** What an extension is made of has to be there. */
const expectPositions = (by: Extension, tables: number, turned: number): void => {
  if (by === 'scale' && turned === 0) {
    throw modelError('the model has no rotary positions to scale; take by: copy, or interpolate where it has a table');
  }
  if (by !== 'interpolate' || tables + turned > 0) return;
  throw modelError('the model has neither a table of positions nor rotary ones to interpolate; take by: copy');
};

/**
 * The model with positions for texts of `to` tokens. What tables have learnt stays; positions that the graph works out itself go
 * on counting.
 */
export const withPositions = (model: Model, to: number, by: Extension): Model => {
  const { graph, info } = model;
  if (to <= info.maxLength) {
    throw modelError(`the model has positions for ${info.maxLength} tokens already, and ${to} are asked for`);
  }
  const fed = inputOf(info.signature, 'positions');
  const tables = tablesIn(graph, fed === undefined ? [] : [fed]);
  const rows = storedRows(graph, info.maxLength);
  const turned = by === 'copy' ? new Map<Value, Tensor>() : slowed(graph, by, to / info.maxLength);
  expectPositions(by, tables.length, turned.size);
  const weights = new Map([...graph.weights, ...turned]);
  for (const { name, table, first } of tables) weights.set(name, extended(table, first, to, by));
  for (const [name, row] of rows) weights.set(name, longer(row, to));
  const long = withTypes(graph, weights);
  const left = longestOf(long, fed === undefined ? [] : [fed]);
  if (left !== undefined && left < to) {
    throw modelError(`the positions of the model end at ${left} in a way that decant cannot extend`);
  }
  return { ...model, graph: long, info: { ...info, ...said(info, to, by, turned.size > 0), maxLength: to } };
};
