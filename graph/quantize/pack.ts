import { type ArrayOf, float32Of, type Tensor, tensorOf } from '../tensor.ts';
import type { BlockUse } from './choose.ts';
import { blankFor, blocksOf, type Grid, levelsOf, middleOf, type Rounded, type Rows } from './grid.ts';

/** Rounded rows as a file holds them. */
export interface Packed {
  readonly grid: Grid;
  readonly rows: number;
  readonly width: number;
  /** uint8, (rows, bytes): blocks of a row one after the other, the lowest bits of a byte first. */
  readonly codes: Tensor;
  /** float32, (rows, blocks). */
  readonly scales: Tensor;
  /** uint8, (rows, bytes); left out where the grid has no zero points. */
  readonly zeros?: Tensor;
}

/** Numbers of few bits side by side in bytes, each row filled up to whole bytes. */
const packedRows = (
  count: number,
  length: number,
  bits: number,
  at: (row: number, place: number) => number,
): ArrayOf<'uint8'> => {
  const perByte = 8 / bits;
  const bytes = Math.ceil(length / perByte);
  const packed = new Uint8Array(count * bytes);
  for (let row = 0; row < count; row++) {
    for (let place = 0; place < length; place++) {
      const byte = row * bytes + Math.floor(place / perByte);
      packed[byte] = (packed[byte] as number) | (at(row, place) << ((place % perByte) * bits));
    }
  }
  return packed;
};

/** Rows of a product are filled up to whole blocks with what stands for zero; those of a table end where they end. */
export const packedOf = (
  { rows, width }: Pick<Rows, 'rows' | 'width'>,
  grid: Grid,
  rounded: Rounded,
  use: BlockUse,
): Packed => {
  const blocks = blocksOf(width, grid);
  const filled = use === 'product' ? blocks * grid.block : width;
  const zeroAt = (row: number, block: number): number => rounded.zeros[row * blocks + block] ?? middleOf(grid);
  const codes = packedRows(rows, filled, grid.bits, (row, place) =>
    place < width ? (rounded.codes[row * width + place] as number) : zeroAt(row, Math.floor(place / grid.block)),
  );
  const zeros = packedRows(rows, blocks, grid.bits, zeroAt);
  return {
    ...{ grid, rows, width },
    codes: tensorOf('uint8', [rows, codes.length / rows], codes),
    scales: tensorOf('float32', [rows, blocks], rounded.scales),
    ...(grid.zeroPoint ? { zeros: tensorOf('uint8', [rows, zeros.length / rows], zeros) } : {}),
  };
};

/** Packed rows as whole numbers again. */
export const unpackedOf = ({ grid, rows, width, codes, scales, zeros }: Packed): Rounded => {
  const blocks = blocksOf(width, grid);
  const perByte = 8 / grid.bits;
  const at = ({ bytes, dims }: Tensor, row: number, place: number): number => {
    const byte = bytes.read()[row * (dims[1] ?? 0) + Math.floor(place / perByte)] ?? 0;
    return (byte >> ((place % perByte) * grid.bits)) & (levelsOf(grid) - 1);
  };
  const rounded = blankFor({ rows, width }, grid);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) rounded.codes[row * width + i] = at(codes, row, i);
    if (zeros !== undefined) for (let b = 0; b < blocks; b++) rounded.zeros[row * blocks + b] = at(zeros, row, b);
  }
  rounded.scales.set(float32Of(scales));
  return rounded;
};
