import { type Plane, placeIn } from '../plane.ts';
import type { Cut, Pattern, PatternKind, Scored } from './pattern.ts';
import { marked } from './smallest.ts';

const written = /^(\d+):(\d+)$/;

/** Marks the least of every `most` inputs of each row; among equals the first go first. */
const markGroups = (plane: Plane, scores: Float32Array, stay: number, most: number): Uint8Array => {
  const gone = new Uint8Array(scores.length);
  const places = new Int32Array(most);
  for (let row = 0; row < plane.rows; row++) {
    for (let column = 0; column < plane.width; column += most) {
      for (let i = 0; i < most; i++) places[i] = placeIn(plane, row, column + i);
      places.sort((a, b) => (scores[a] as number) - (scores[b] as number) || a - b);
      for (const place of places.subarray(0, most - stay)) gone[place] = 1;
    }
  }
  return gone;
};

/** On the way to the pattern: of those that will go, the ones that score least. */
const markSome = (
  all: readonly Scored[],
  gone: readonly Uint8Array[],
  { share, compete }: Cut,
): readonly Uint8Array[] => {
  const going = all.map(({ plane, scores }, i) => ({
    scores: scores.map((score, at) => (gone[i]?.[at] === 1 ? score : Number.POSITIVE_INFINITY)),
    width: plane.width,
  }));
  return marked(going, share, compete === 'row' ? 'matrix' : compete);
};

const patternOf = (stay: number, most: number): Pattern => {
  const fixed = (most - stay) / most;
  return {
    ...{ text: `${stay}:${most}`, fixed, rows: 1, columns: most, together: most },
    mark: (all, cut) => {
      const gone = all.map(({ plane, scores }) => markGroups(plane, scores, stay, most));
      return cut.share < fixed ? markSome(all, gone, cut) : gone;
    },
  };
};

/**
 * N of every M inputs of each output stay (Mishra et al. 2021, 2104.08378; 2:4 is what sparse tensor cores multiply): every row has
 * the same share of zeros, and their places take few bits.
 */
export const nOfM: PatternKind = {
  name: 'N:M',
  summary: 'N of every M inputs of each output stay, which fixes the share',
  example: '2:4',
  parse: (text) => {
    const [, stay = 0, most = 0] = (written.exec(text) ?? []).map(Number);
    if (!written.test(text)) return undefined;
    if (stay >= 1 && stay < most) return patternOf(stay, most);
    const found = `'${text}' keeps ${stay} of every ${most}`;
    return { problem: `${found}: N:M keeps 1 at least and fewer than M, as 2:4 or 4:8` };
  },
};
