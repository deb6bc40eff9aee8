import type { Turn } from '../../data/measurements.ts';
import { quantile } from '../../data/statistics/quantiles.ts';

/** A turn of one model and of the other in the same round. */
interface Pair {
  readonly mine: Turn;
  readonly theirs: Turn;
}

export type Pairs = readonly Pair[];

/** A ratio of times, and whether other work had a part in it. */
export interface Share {
  readonly share: number;
  readonly busy: boolean;
}

/** What a turn may wait and still count, as the report has it; and how many pairs have to. */
const [MOST_WAITED, FEWEST] = [0.05, 8];

/** Of the quickest runs of disturbed turns: the very first of many may be luck. */
const QUICK = 0.1;

export const pairsOf = (mine: readonly Turn[], theirs: readonly Turn[]): Pairs =>
  mine.flatMap((turn, round) => {
    const other = theirs[round];
    return other === undefined ? [] : [{ mine: turn, theirs: other }];
  });

const undisturbed = (pairs: Pairs): Pairs =>
  pairs.filter(({ mine, theirs }) => Math.max(mine.waited, theirs.waited) <= MOST_WAITED);

export const isEnough = (pairs: Pairs): boolean => undisturbed(pairs).length >= FEWEST;

const medianOf = ({ ms }: Turn): number => quantile(ms, 0.5);

const quickOf = (turns: readonly Turn[]): number =>
  quantile(
    turns.map(({ ms }) => Math.min(...ms)),
    QUICK,
  );

/**
 * The middle ratio of undisturbed pairs. Where these are too few, of the quickest runs of both: a run that was not interrupted still
 * says what a graph takes, while the middle one says how often it was.
 */
export const shareIn = (pairs: Pairs): Share => {
  if (!isEnough(pairs))
    return { share: quickOf(pairs.map(({ mine }) => mine)) / quickOf(pairs.map(({ theirs }) => theirs)), busy: true };
  const ratios = undisturbed(pairs).map(({ mine, theirs }) => medianOf(mine) / medianOf(theirs));
  return { share: quantile(ratios, 0.5), busy: false };
};
