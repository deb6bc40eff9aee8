import { forEachPlace, inRows, type Plane } from '../plane.ts';
import type { Pattern, PatternKind, Scored } from './pattern.ts';
import { marked } from './smallest.ts';

/** Marks of rows where the weight itself has them. */
const inPlace = (plane: Plane, gone: Uint8Array): Uint8Array => {
  if (!plane.turned) return gone;
  const own = new Uint8Array(gone.length);
  forEachPlace(plane, (place, row, column) => {
    own[place] = gone[row * plane.width + column] as number;
  });
  return own;
};

const unitsOf = ({ plane, scores }: Scored) => ({ scores: inRows(plane, scores), width: plane.width });

const pattern: Pattern = {
  ...{ text: 'free', rows: 1, columns: 1 },
  mark: (all, { share, compete }) => {
    // Only rows ask for an order of their own: elsewhere equals go in the order in which they are stored.
    if (compete !== 'row')
      return marked(
        all.map(({ plane, scores }) => ({ scores, width: plane.width })),
        share,
        compete,
      );
    const gone = marked(all.map(unitsOf), share, compete);
    return all.map(({ plane }, i) => inPlace(plane, gone[i] as Uint8Array));
  },
};

/** Zeros wherever they harm least (Han et al. 2015, 1506.02626). */
export const free: PatternKind = {
  name: 'free',
  summary: 'zeros wherever they harm least',
  example: 'free',
  parse: (text) => (text === 'free' ? pattern : undefined),
};
