import { type ArrayOf, elementCount, floatPiecesOf, type Tensor, tensorOf } from '../tensor.ts';

/** Numbers that may share a scale: what kernels take. */
export const blockSizes = [16, 32, 64, 128, 256] as const;

/** Whole numbers of few bits, a scale for each block of numbers that stand side by side. */
export interface Grid {
  readonly bits: 2 | 4 | 8;
  /** Numbers that share a scale. */
  readonly block: number;
  /** Whether each block has a zero point; without, the middle of the whole numbers stands for zero. */
  readonly zeroPoint: boolean;
}

/** A matrix whose rows are rounded each for itself: (outputs, inputs) of a product, (rows, width) of a table. */
export interface Rows {
  readonly rows: number;
  readonly width: number;
  /** Row by row. */
  readonly data: Float32Array;
}

/** Rows as whole numbers: w is about scale * (code - zero point), by block. */
export interface Rounded {
  /** One of `rows x width`, from 0 to 2^bits - 1. */
  readonly codes: ArrayOf<'uint8'>;
  /** One of `rows x blocks`. */
  readonly scales: ArrayOf<'float32'>;
  /** One of `rows x blocks`; the middle where the grid has no zero points. */
  readonly zeros: ArrayOf<'uint8'>;
}

export const blocksOf = (width: number, { block }: Grid): number => Math.ceil(width / block);

export const levelsOf = ({ bits }: Grid): number => 2 ** bits;

/** What stands for zero where no block says so. */
export const middleOf = ({ bits }: Grid): number => 2 ** (bits - 1);

/** Nothing rounded yet. */
export const blankFor = ({ rows, width }: Pick<Rows, 'rows' | 'width'>, grid: Grid): Rounded => {
  const blocks = rows * blocksOf(width, grid);
  return {
    codes: new Uint8Array(rows * width),
    scales: new Float32Array(blocks),
    zeros: new Uint8Array(blocks).fill(middleOf(grid)),
  };
};

/** Whether rows are those of the matrix itself, or its columns. */
export type Layout = 'as it is' | 'turned';

/** The numbers of a matrix as rows. */
export const rowsOf = (tensor: Tensor, layout: Layout): Rows & { readonly data: ArrayOf<'float32'> } => {
  const [first = 0, second = 0] = tensor.dims;
  const data = new Float32Array(elementCount(tensor.dims));
  const isTurned = layout === 'turned';
  let at = 0;
  for (const piece of floatPiecesOf(tensor)) {
    if (!isTurned) data.set(piece, at);
    else
      for (let i = 0; i < piece.length; i++)
        data[((at + i) % second) * first + Math.floor((at + i) / second)] = piece[i] as number;
    at += piece.length;
  }
  return isTurned ? { rows: second, width: first, data } : { rows: first, width: second, data };
};

/** Rows as the matrix that they are of. */
export const matrixOf = (rows: ArrayOf<'float32'>, dims: readonly number[], layout: Layout): Tensor => {
  if (layout === 'as it is') return tensorOf('float32', dims, rows);
  const [first = 0, second = 0] = dims;
  const data = new Float32Array(rows.length);
  for (let i = 0; i < rows.length; i++) data[(i % first) * second + Math.floor(i / first)] = rows[i] as number;
  return tensorOf('float32', dims, data);
};

/** The numbers that rounded rows stand for. */
export const widened = (
  { rows, width }: Pick<Rows, 'rows' | 'width'>,
  grid: Grid,
  { codes, scales, zeros }: Rounded,
): ArrayOf<'float32'> => {
  const data = new Float32Array(rows * width);
  const blocks = blocksOf(width, grid);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) {
      const block = row * blocks + Math.floor(i / grid.block);
      const whole = (codes[row * width + i] as number) - (zeros[block] as number);
      data[row * width + i] = whole * (scales[block] as number);
    }
  }
  return data;
};
