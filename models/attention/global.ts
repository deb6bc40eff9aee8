import type { Value } from '../../graph/graph.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { MASKED_SCORE } from '../blocks.ts';
import { attendedRows, biasNeighbours, joined, neighbours } from './blocks.ts';
import type { Core, Place, Settings } from './kind.ts';
import { attended, cutTo, maskOf, reshaped, sizeAt, stretch, widthOf } from './pieces.ts';

/** Blocks that see others at some distances, and the first positions. */
interface Sight {
  readonly block: number;
  readonly global: number;
  readonly distances: readonly number[];
}

/** The first positions are those of the first block. */
export const globalProblem = ({ width, global }: Settings) =>
  global <= width
    ? undefined
    : ({
        setting: 'global',
        message: `${global} global positions are more than a block of width ${width}; expected at most ${width}`,
      } as const);

/** What the first block has, for every block: (batch, 1, ...) to (batch, blocks, ...), as `like` has blocks. */
const forBlocks = ({ builder }: Place, first: Value, like: Value): Value => {
  const ones = (builder.type(first).shape ?? []).slice(2).map(() => 1);
  const shape = builder.op('Concat', [builder.ints([1]), sizeAt(builder, like, 1), builder.ints(ones)], { axis: 0 });
  return builder.op('Expand', [first, shape]);
};

/** The bias of keys without the first ones, which are seen by another way: (batch, 1, 1, sequence). */
const behindFirst = ({ builder }: Place, { bias }: Core, global: number): Value => {
  const hidden = builder.constant(tensorOf('float32', [1, 1, 1, global], new Float32Array(global).fill(MASKED_SCORE)));
  const rest = builder.op('Sub', [sizeAt(builder, bias, 3), builder.ints([global])]);
  const pads = builder.op('Concat', [builder.ints([0]), rest], { axis: 0 });
  return builder.op('Add', [bias, builder.op('Pad', [hidden, pads, builder.scalar('float32', 0), builder.ints([3])])]);
};

/**
 * What each block may see, the first positions in front: (batch * blocks, 1, 1 or block, global + distances * block). `reach`
 * says how far a window goes; without it blocks are seen whole.
 */
export const windowMask = (
  place: Place,
  core: Core,
  { block, global, distances, reach }: Sight & { readonly reach?: number },
): Value =>
  place.shared(`global ${block} ${global} ${distances} ${reach} ${core.bias}`, () => {
    const { builder } = place;
    const { near } = biasNeighbours(place, behindFirst(place, core, global), block, distances);
    const { first } = biasNeighbours(place, core.bias, block, [0]);
    const count = global + distances.length * block;
    const front = forBlocks(place, stretch(builder, first, 2, 0, global), near);
    const keys = builder.op('Concat', [front, near], { axis: 2 });
    const rows = reshaped(builder, keys, [-1, 1, 1, count]);
    if (reach === undefined) return rows;
    const sees = ([, , query = 0, key = 0]: readonly number[]): boolean =>
      key < global || Math.abs(query + block - (key - global)) <= reach;
    return builder.op('Add', [rows, maskOf(place, [1, 1, block, count], sees)]);
  });

/** Blocks of queries that see the first positions and the blocks at some distances: (batch, blocks * block, width). */
export const attendedLocally = (
  place: Place,
  core: Core,
  { block, global, distances, mask }: Sight & { readonly mask: Value },
): Value => {
  const count = global + distances.length * block;
  const seen = (x: Value): Value => {
    const { near, first } = neighbours(place, x, block, distances);
    const front = forBlocks(place, stretch(place.builder, first, 2, 0, global), near);
    return joined(place, place.builder.op('Concat', [front, near], { axis: 2 }), count);
  };
  return attendedRows(place, core, { block, key: seen(core.key), value: seen(core.value), bias: mask });
};

/** The first positions, which see all, in front of what blocks saw: (batch, sequence, width). */
export const withGlobal = (
  place: Place,
  core: Core,
  local: Value,
  { block, global }: Pick<Sight, 'block' | 'global'>,
): Value => {
  const { builder } = place;
  const { first } = neighbours(place, core.query, block, [0]);
  const query = stretch(builder, reshaped(builder, first, [0, block, widthOf(place, core.query)]), 1, 0, global);
  const all = [attended(place, { ...core, query }), stretch(builder, local, 1, global)];
  return cutTo(place, builder.op('Concat', all, { axis: 1 }), core.query);
};
