import type { AttentionKind, Settings, Sizes } from './kind.ts';

/** Multiply-accumulates in the time that one number is moved, on one thread of a CPU. */
const MACS_A_MOVE = 16;
/** What full attention moves a number of its operands, and for each score: softmax and mask. */
const FULL = { operands: 1, scores: 1.5 } as const;

/** Full attention in the same measure: products, and scores that are masked and made shares. */
const fullCost = ({ length, heads, headWidth }: Sizes): number =>
  2 * length * length * heads * headWidth +
  MACS_A_MOVE * (FULL.scores * length * length * heads + FULL.operands * length * heads * headWidth);

const kindCost = (kind: AttentionKind, settings: Settings, sizes: Sizes): number => {
  const { length, heads, headWidth } = sizes;
  const macs = kind.macs(settings, sizes);
  // A score costs its share of the products, as in full attention.
  const scores = kind.scored ? (MACS_A_MOVE * FULL.scores * macs) / (2 * headWidth) : 0;
  return macs + scores + MACS_A_MOVE * kind.moves * length * heads * headWidth;
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
