import type { Value } from '../../../graph/graph.ts';
import { attendedRows, biasNeighbours, joined, neighbours, ownAndBeside } from '../blocks.ts';
import type { AttentionKind, Core, Place } from '../kind.ts';
import { cutTo, maskOf, reshaped } from '../pieces.ts';

/** The band and the padding: (batch * blocks, 1, width, 3 * width). */
const biasOf = (place: Place, { bias }: Core, width: number): Value =>
  place.shared(`window ${width} ${bias}`, () => {
    const band = maskOf(
      place,
      [1, 1, width, 3 * width],
      ([, , query = 0, key = 0]) => Math.abs(query + width - key) <= width,
    );
    const keys = reshaped(place.builder, biasNeighbours(place, bias, width, ownAndBeside).near, [-1, 1, 1, 3 * width]);
    return place.builder.op('Add', [keys, band]);
  });

/** Positions see those at most so far from them, on both sides (Beltagy et al. 2020, 2004.05150). */
export const window: AttentionKind = {
  name: 'window',
  summary: 'positions see those at most width away, on both sides',
  settings: { width: 64 },
  sees:
    ({ width }) =>
    (query, key) =>
      Math.abs(query - key) <= width,
  scored: true,
  moves: 6.3,
  macs: ({ width }, { length, heads, headWidth }) => 6 * Math.ceil(length / width) * width * width * heads * headWidth,
  emit: (place, { width }, core) =>
    cutTo(
      place,
      attendedRows(place, core, {
        block: width,
        key: joined(place, neighbours(place, core.key, width, ownAndBeside).near, 3 * width),
        value: joined(place, neighbours(place, core.value, width, ownAndBeside).near, 3 * width),
        bias: biasOf(place, core, width),
      }),
      core.query,
    ),
};
