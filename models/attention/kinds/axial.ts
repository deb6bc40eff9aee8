import type { Value } from '../../../graph/graph.ts';
import { biasBlocks, blocksOf } from '../blocks.ts';
import type { AttentionKind, Core, Place } from '../kind.ts';
import { cutTo, widthOf } from '../pieces.ts';
import { headBlocks, hidingItself, mixedOfTwo, sideBySide } from '../two.ts';

/** Rows and columns change places: (batch, rows, heads, columns, x) to (batch, columns, heads, rows, x), and back. */
const across = ({ builder }: Place, x: Value): Value => builder.op('Transpose', [x], { perm: [0, 3, 2, 1, 4] });

/** Keys of the same column in other rows: (batch, rows, 1, columns, rows). */
const columnBias = (place: Place, rows: Value): Value => {
  const { builder } = place;
  const keys = builder.op('Unsqueeze', [builder.op('Transpose', [rows], { perm: [0, 2, 1] }), builder.ints([1, 2])]);
  return builder.op('Add', [keys, hidingItself(place, rows)]);
};

const biases = (place: Place, { bias }: Core, width: number) => {
  const rows = place.shared(`rows ${width} ${bias}`, () => biasBlocks(place, bias, width));
  return {
    row: place.shared(`row bias ${width} ${bias}`, () =>
      place.builder.op('Unsqueeze', [rows, place.builder.ints([2, 3])]),
    ),
    column: place.shared(`column bias ${width} ${bias}`, () => columnBias(place, rows)),
  };
};

/** Positions as a table with rows of width: each sees its row and its column (Ho et al. 2019, 1912.12180; joint as in CCNet). */
export const axial: AttentionKind = {
  name: 'axial',
  summary: 'the text is a table with rows of width; positions see their row and their column',
  settings: { width: 64 },
  sees:
    ({ width }) =>
    (query, key) =>
      Math.floor(query / width) === Math.floor(key / width) || query % width === key % width,
  scored: true,
  moves: 4.8,
  macs: ({ width }, { length, heads, headWidth }) => {
    const rows = Math.ceil(length / width);
    return 2 * rows * width * (width + rows) * heads * headWidth;
  },
  emit: (place, { width }, core) => {
    const { builder } = place;
    const { heads, scale } = core;
    const { row, column } = biases(place, core, width);
    const table = (x: Value): Value => headBlocks(place, blocksOf(place, x, width), heads);
    const turned = (x: Value): Value => builder.op('Transpose', [x], { perm: [0, 1, 2, 4, 3] });
    const query = builder.op('Mul', [table(core.query), builder.scalar('float32', scale)]);
    const [key, value] = [table(core.key), table(core.value)];
    const upright = across(place, value);
    const columns = builder.op('MatMul', [across(place, query), turned(across(place, key))]); // (batch, columns, heads, rows, rows)
    const near = {
      scores: builder.op('Add', [builder.op('MatMul', [query, turned(key)]), row]),
      mix: (shares: Value): Value => builder.op('MatMul', [shares, value]),
    };
    const far = {
      scores: builder.op('Add', [across(place, columns), column]),
      mix: (shares: Value): Value => across(place, builder.op('MatMul', [across(place, shares), upright])),
    };
    const mixed = mixedOfTwo(place, core, near, far, width);
    return cutTo(place, sideBySide(place, mixed, widthOf(place, core.value)), core.query);
  },
};
