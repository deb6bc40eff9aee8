import type { Value } from '../../../graph/graph.ts';
import { biasBlocks, blocksOf } from '../blocks.ts';
import type { AttentionKind, Core, Place } from '../kind.ts';
import { counts, countsBias, means } from '../means.ts';
import { cutTo, widthOf } from '../pieces.ts';
import { headBlocks, hidingItself, mixedOfTwo, sideBySide } from '../two.ts';

/** Means as keys or values: (batch, blocks, width) to (batch, 1, heads, blocks, head width), or turned. */
const headMeans = (place: Place, x: Value, heads: number, turned: boolean): Value =>
  headBlocks(place, place.builder.op('Unsqueeze', [x, place.builder.ints([1])]), heads, turned);

/** The means of other blocks: (batch, blocks, 1, 1, blocks). */
const meansBias = (place: Place, core: Core, width: number): Value =>
  place.shared(`other means ${width} ${core.bias}`, () => {
    const { builder } = place;
    const count = counts(place, core, width);
    const weights = builder.op('Unsqueeze', [countsBias(place, core, count, width), builder.ints([1])]);
    return builder.op('Add', [weights, hidingItself(place, count)]);
  });

/** A block sees itself as it is and the others as means, each weighing as many keys (after Zhu and Soricut 2021, 2107.11906). */
export const hierarchical: AttentionKind = {
  name: 'hierarchical',
  summary: 'positions see their own block of width, and the means of all others',
  settings: { width: 64 },
  scored: true,
  moves: 4.1,
  macs: ({ width }, { length, heads, headWidth }) => {
    const blocks = Math.ceil(length / width);
    return 2 * blocks * width * (width + blocks) * heads * headWidth;
  },
  emit: (place, { width }, core) => {
    const { builder } = place;
    const { heads, scale } = core;
    const blocks = (x: Value): Value => blocksOf(place, x, width);
    const by = builder.scalar('float32', scale);
    const query = builder.op('Mul', [headBlocks(place, blocks(core.query), heads), by]);
    const scored = (keys: Value, bias: Value): Value => builder.op('Add', [builder.op('MatMul', [query, keys]), bias]);
    const ownBias = place.shared(`own ${width} ${core.bias}`, () =>
      builder.op('Unsqueeze', [biasBlocks(place, core.bias, width), builder.ints([2, 3])]),
    );
    const values = headBlocks(place, blocks(core.value), heads);
    const near = {
      scores: scored(headBlocks(place, blocks(core.key), heads, true), ownBias),
      mix: (shares: Value): Value => builder.op('MatMul', [shares, values]),
    };
    const others = headMeans(place, means(place, core, core.value, width), heads, false);
    const far = {
      scores: scored(headMeans(place, means(place, core, core.key, width), heads, true), meansBias(place, core, width)),
      mix: (shares: Value): Value => builder.op('MatMul', [shares, others]),
    };
    const mixed = mixedOfTwo(place, core, near, far, width);
    return cutTo(place, sideBySide(place, mixed, widthOf(place, core.value)), core.query);
  },
};
