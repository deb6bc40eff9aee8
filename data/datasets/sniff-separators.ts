/** What may part columns beside the delimiters that are tried: marks and control characters, no letters, digits or spaces. */
const mark = /[^\p{L}\p{N}\p{M}\t\n\r "'.,;|?!()]/gu;

/** Fewer rows agree by chance. */
const FEWEST_ROWS = 8;

const countsIn = (text: string): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const [one] of text.matchAll(mark)) if (one.length === 1) counts.set(one, (counts.get(one) ?? 0) + 1);
  return counts;
};

/** The mark that all rows of a table with one column have equally often, its name among them; undefined where none is. */
export const untriedSeparator = (rows: readonly string[]): string | undefined => {
  const [first = '', ...others] = rows;
  if (others.length < FEWEST_ROWS) return undefined;
  const shared = new Map(countsIn(first));
  for (const row of others) {
    const counts = countsIn(row);
    for (const [one, times] of shared) if (counts.get(one) !== times) shared.delete(one);
  }
  return [...shared].toSorted(([, a], [, b]) => a - b)[0]?.[0];
};
