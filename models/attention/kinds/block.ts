import { attendedRows, biasBlocks, rowsOf } from '../blocks.ts';
import type { AttentionKind } from '../kind.ts';
import { cutTo, reshaped } from '../pieces.ts';

/** Positions in blocks, each of which sees itself: the local part of Sparse Transformers (Child et al. 2019, 1904.10509). */
export const block: AttentionKind = {
  name: 'block',
  summary: 'positions see those of their own block of width',
  settings: { width: 64 },
  sees:
    ({ width }) =>
    (query, key) =>
      Math.floor(query / width) === Math.floor(key / width),
  scored: true,
  moves: 3.4,
  macs: ({ width }, { length, heads, headWidth }) => 2 * Math.ceil(length / width) * width * width * heads * headWidth,
  emit: (place, { width }, core) =>
    cutTo(
      place,
      attendedRows(place, core, {
        block: width,
        key: rowsOf(place, core.key, width),
        value: rowsOf(place, core.value, width),
        bias: place.shared(`block ${width} ${core.bias}`, () =>
          reshaped(place.builder, biasBlocks(place, core.bias, width), [-1, 1, 1, width]),
        ),
      }),
      core.query,
    ),
};
