/** Texts of a pass at most, and passes of an update, so that any batch can be split down to single texts. */
export const MOST_TEXTS = 4096;

/** How an update is cut into passes. */
export interface Split {
  /** Texts of a pass. */
  readonly batch: number;
  /** Passes. */
  readonly accumulate: number;
}

/** Estimates err by some percent on either side: what is advised should run. */
const MARGIN = 0.9;

interface Search {
  /** Bytes that a pass of so many texts takes. */
  readonly need: (batch: number) => number;
  /** Bytes that there are; undefined where nobody knows. */
  readonly room: number | undefined;
  /** Texts of a pass at most. */
  readonly most: number;
}

/** The same update in the largest passes that fit; undefined where not even single texts do. */
export const fittingSplit = (whole: Split, { need, room, most }: Search): Split | undefined => {
  const texts = whole.batch * whole.accumulate;
  const splits = Array.from({ length: Math.max(0, Math.floor(most)) }, (_, i) => i + 1)
    .filter((batch) => texts % batch === 0 && texts / batch <= MOST_TEXTS)
    .map((batch): Split => ({ batch, accumulate: texts / batch }));
  return splits.findLast(({ batch }) => room === undefined || need(batch) <= MARGIN * room);
};
