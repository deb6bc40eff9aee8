import type { AttentionKind, Settings, Sizes } from './kind.ts';

/** Multiply-accumulates in the time that one number is moved, by operators that are small at the lengths in question. */
const MACS_A_MOVE = 128;
/** The same of one score: mask, exponential and division. */
const MACS_A_SCORE = 24;

/** Full attention: two products, and a score for each pair. */
const fullCost = ({ length, heads, headWidth }: Sizes): number =>
  length * length * heads * (2 * headWidth + MACS_A_SCORE);

const kindCost = (kind: AttentionKind, settings: Settings, sizes: Sizes): number => {
  const { length, heads, headWidth } = sizes;
  const macs = kind.macs(settings, sizes);
  const scores = kind.scored ? macs / (2 * headWidth) : 0;
  return macs + MACS_A_SCORE * scores + MACS_A_MOVE * kind.moves * length * heads * headWidth;
};

/** Lengths that are tried: sixteen steps to each doubling. */
const STEPS = 16;

/** The least length from which on a kind takes less time than full attention, by a formula; undefined where there is none. */
export const paysFrom = (
  kind: AttentionKind,
  settings: Settings,
  sizes: Omit<Sizes, 'length'>,
  longest: number,
): number | undefined => {
  const costs = (length: number) => kindCost(kind, settings, { ...sizes, length }) < fullCost({ ...sizes, length });
  let from: number | undefined;
  for (let step = STEPS * 4; ; step++) {
    const length = Math.round(2 ** (step / STEPS));
    if (length > longest) return from;
    if (!costs(length)) from = undefined;
    else from ??= length;
  }
};
