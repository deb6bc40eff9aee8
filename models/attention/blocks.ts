import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/graph.ts';
import { MASKED_SCORE } from '../blocks.ts';
import type { Core, Place } from './kind.ts';
import { attended, cutTo, filledUp, reshaped, sizeAt, stretch, widthOf } from './pieces.ts';

/** Positions in rows of blocks: (batch, sequence, width) to (batch * blocks, block, width). */
export const rowsOf = (place: Place, x: Value, block: number): Value =>
  reshaped(place.builder, filledUp(place, x, { axis: 1, multiple: block }), [-1, block, widthOf(place, x)]);

/** Positions in blocks, texts apart: (batch, sequence, width) to (batch, blocks, block, width). */
export const blocksOf = (place: Place, x: Value, block: number): Value =>
  reshaped(place.builder, filledUp(place, x, { axis: 1, multiple: block }), [0, -1, block, widthOf(place, x)]);

/** The bias of keys in blocks: (batch, 1, 1, sequence) to (batch, blocks, block). */
export const biasBlocks = (place: Place, bias: Value, block: number): Value =>
  reshaped(place.builder, filledUp(place, bias, { axis: 3, multiple: block, fill: MASKED_SCORE }), [0, -1, block]);

/** Rows of blocks in their texts again, without what filled them up: (batch, sequence, width) as `like` has positions. */
export const texts = (place: Place, rows: Value, like: Value): Value => {
  const { builder } = place;
  const shape = builder.op('Concat', [sizeAt(builder, like, 0), builder.ints([-1, widthOf(place, rows)])], { axis: 0 });
  return cutTo(place, builder.op('Reshape', [rows, shape]), like);
};

/**
 * For each block the blocks at certain distances from it, side by side along axis 2, from x (batch, blocks + low + high, ...):
 * slices, since Gather's gradient is slow.
 */
const beside = (builder: GraphBuilder, x: Value, distances: readonly number[], [low, high]: Reach): Value => {
  const all = distances.map((distance) =>
    stretch(builder, x, 1, low + distance, distance === high ? undefined : distance - high),
  );
  return builder.op('Concat', all, { axis: 2 });
};

type Reach = readonly [low: number, high: number];

const reachOf = (distances: readonly number[]): Reach => [
  Math.max(0, ...distances.map((distance) => -distance)),
  Math.max(0, ...distances),
];

/** What the queries of each block see of x: (batch, sequence, width) to (batch, blocks, distances * block, width). */
export const neighbours = (place: Place, x: Value, block: number, distances: readonly number[]): Value => {
  const [low, high] = reachOf(distances);
  const long = filledUp(place, x, { axis: 1, multiple: block, before: low * block, after: high * block });
  return beside(place.builder, reshaped(place.builder, long, [0, -1, block, widthOf(place, x)]), distances, [low, high]);
};

/** The same of the bias: (batch, 1, 1, sequence) to (batch, blocks, distances * block). */
export const biasNeighbours = (place: Place, bias: Value, block: number, distances: readonly number[]): Value => {
  const [low, high] = reachOf(distances);
  const filling = { axis: 3, multiple: block, fill: MASKED_SCORE, before: low * block, after: high * block };
  return beside(place.builder, reshaped(place.builder, filledUp(place, bias, filling), [0, -1, block]), distances, [
    low,
    high,
  ]);
};

/** Keys as rows, where each block sees `count` of them: (batch, blocks, count, width) to (batch * blocks, count, width). */
export const joined = (place: Place, x: Value, count: number): Value =>
  reshaped(place.builder, x, [-1, count, widthOf(place, x)]);

/** Attention of rows of queries to rows of keys, and texts again. */
export const attendedRows = (
  place: Place,
  core: Core,
  { block, ...rows }: Pick<Core, 'key' | 'value' | 'bias'> & { readonly block: number },
): Value => texts(place, attended(place, { ...core, ...rows, query: rowsOf(place, core.query, block) }), core.query);
