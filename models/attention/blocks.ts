import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/graph.ts';
import { MASKED_SCORE } from '../blocks.ts';
import type { Core, Place } from './kind.ts';
import { attended, filledUp, reshaped, sizeAt, stretch, widthOf } from './pieces.ts';

/** A block and those beside it. */
export const ownAndBeside = [-1, 0, 1] as const;

/** Positions in rows of blocks: (batch, sequence, width) to (batch * blocks, block, width). */
export const rowsOf = (place: Place, x: Value, block: number): Value =>
  reshaped(place.builder, filledUp(place, x, { axis: 1, multiple: block }), [-1, block, widthOf(place, x)]);

/** Positions in blocks, texts apart: (batch, sequence, width) to (batch, blocks, block, width). */
export const blocksOf = (place: Place, x: Value, block: number): Value =>
  reshaped(place.builder, filledUp(place, x, { axis: 1, multiple: block }), [0, -1, block, widthOf(place, x)]);

/** The bias of keys in blocks: (batch, 1, 1, sequence) to (batch, blocks, block). */
export const biasBlocks = (place: Place, bias: Value, block: number): Value =>
  reshaped(place.builder, filledUp(place, bias, { axis: 3, multiple: block, fill: MASKED_SCORE }), [0, -1, block]);

/** Rows of blocks in their texts again, filled up as they are: (batch, blocks * block, width). `like` has the batch. */
const inTexts = ({ builder }: Place, rows: Value, like: Value): Value => {
  const whole = builder.ints([-1, widthOf({ builder }, rows)]);
  return builder.op('Reshape', [rows, builder.op('Concat', [sizeAt(builder, like, 0), whole], { axis: 0 })]);
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

/** Blocks with as many empty ones around them as some distances reach, and what is beside each. */
interface Around {
  /** (batch, blocks, distances * block, width) */
  readonly near: Value;
  /** The first block, which every text has: (batch, 1, block, width). */
  readonly first: Value;
}

const around = (place: Place, x: Value, block: number, distances: readonly number[], filling: Filled): Around => {
  const { builder } = place;
  const [low, high] = reachOf(distances);
  const { axis, fill, dims } = filling;
  const padded = filledUp(place, x, { axis, fill, multiple: block, before: low * block, after: high * block });
  const long = reshaped(builder, padded, [0, -1, block, ...dims]);
  return { near: beside(builder, long, distances, [low, high]), first: stretch(builder, long, 1, low, low + 1) };
};

interface Filled {
  readonly axis: number;
  readonly fill: number;
  readonly dims: readonly number[];
}

/** What the queries of each block see of x (batch, sequence, width). */
export const neighbours = (place: Place, x: Value, block: number, distances: readonly number[]): Around =>
  around(place, x, block, distances, { axis: 1, fill: 0, dims: [widthOf(place, x)] });

/** The same of the bias (batch, 1, 1, sequence), without a width. */
export const biasNeighbours = (place: Place, bias: Value, block: number, distances: readonly number[]): Around =>
  around(place, bias, block, distances, { axis: 3, fill: MASKED_SCORE, dims: [] });

/** Keys as rows, where each block sees `count` of them: (batch, blocks, count, width) to (batch * blocks, count, width). */
export const joined = (place: Place, x: Value, count: number): Value =>
  reshaped(place.builder, x, [-1, count, widthOf(place, x)]);

/** Attention of rows of queries to rows of keys, in texts that are filled up: (batch, blocks * block, width). */
export const attendedRows = (
  place: Place,
  core: Core,
  { block, ...rows }: Pick<Core, 'key' | 'value' | 'bias'> & { readonly block: number },
): Value => inTexts(place, attended(place, { ...core, ...rows, query: rowsOf(place, core.query, block) }), core.query);
