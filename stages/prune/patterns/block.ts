import { forEachPlace, type Plane } from '../plane.ts';
import type { Pattern, PatternKind, Scored } from './pattern.ts';
import { marked, type Units } from './smallest.ts';

const written = /^(\d+)x(\d+)$/;

interface Block {
  readonly rows: number;
  readonly columns: number;
}

/** Calls for each number of a plane with the block that it is in: blocks count row by row. */
const forEach = (plane: Plane, { rows, columns }: Block, see: (place: number, block: number) => void): void => {
  const across = plane.width / columns;
  forEachPlace(plane, (place, row, column) => {
    see(place, Math.floor(row / rows) * across + Math.floor(column / columns));
  });
};

/** A block matters as much as all that it holds: what is added for one number is a mean, so that scores stay small. */
const unitsOf = ({ plane, scores }: Scored, block: Block): Units => {
  const sums = new Float64Array(scores.length / (block.rows * block.columns));
  forEach(plane, block, (place, at) => {
    sums[at] = (sums[at] as number) + (scores[place] as number);
  });
  return { scores: Float32Array.from(sums), width: plane.width / block.columns };
};

const inPlace = ({ plane, scores }: Scored, block: Block, gone: Uint8Array): Uint8Array => {
  const own = new Uint8Array(scores.length);
  forEach(plane, block, (place, at) => {
    own[place] = gone[at] as number;
  });
  return own;
};

const patternOf = (block: Block): Pattern => ({
  ...{ text: `${block.rows}x${block.columns}`, ...block },
  mark: (all, { share, compete }) => {
    const gone = marked(
      all.map((one) => unitsOf(one, block)),
      share,
      compete,
    );
    return all.map((one, i) => inPlace(one, block, gone[i] as Uint8Array));
  },
});

/**
 * Blocks of rows x columns go as a whole, outputs x inputs of a product (Lagunas et al. 2021, 2109.04838; oBERT's blocks of 4): a
 * kernel skips them together.
 */
export const block: PatternKind = {
  name: 'RxC',
  summary: 'blocks of R outputs x C inputs go as a whole',
  example: '4x1',
  parse: (text) => {
    const [, rows = 0, columns = 0] = (written.exec(text) ?? []).map(Number);
    if (!written.test(text)) return undefined;
    if (rows * columns > 1) return patternOf({ rows, columns });
    return { problem: `'${text}' is no block: rows x columns are 2 numbers at least, as 4x1 or 1x4` };
  },
};
