/** How much is kept: a number of units, or a share of those there are, such as '50%'. */
export type Count = number | string;

/** The share that a text such as '50%' or '12.5 %' means, undefined for anything else. */
export const shareOf = (text: string): number | undefined => {
  const [, digits] = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) / 100;
};

/** Kernels like widths that are multiples of 16; what is small keeps finer steps. */
const stepOf = (exact: number): number => (exact >= 64 ? 16 : exact >= 16 ? 8 : 1);

export interface Target {
  readonly kept: number;
  /** What the share came to before it was rounded; absent where a count was given. */
  readonly exact?: number;
}

/** Units to keep of `available`. Shares are rounded to multiples of 16 (8 below 64, 1 below 16), at least one step. */
export const targetOf = (count: Count, available: number): Target => {
  if (typeof count === 'number') return { kept: count };
  const exact = available * (shareOf(count) ?? 1);
  if (exact === available) return { kept: available, exact };
  const step = stepOf(exact);
  return { kept: Math.min(available, Math.max(step, Math.round(exact / step) * step)), exact };
};

/** Why heads of keys and values stay as many as those of queries. */
export const unsharedWords = (kind = 'model of this kind'): string =>
  `clients of a ${kind} take keys and values to have as many heads as queries; keep them, or cut heads`;
