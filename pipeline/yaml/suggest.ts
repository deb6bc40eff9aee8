import { closest, distance } from 'fastest-levenshtein';

/** The known name that was probably meant: at most a third of its letters differ, or two of a short word. */
const suggestion = (found: string, known: readonly string[]): string | undefined => {
  if (known.length === 0) return undefined;
  const best = closest(found.toLowerCase(), known);
  const length = Math.max(found.length, best.length);
  const reach = Math.max(length > 4 ? 2 : 1, Math.floor(length / 3));
  return distance(found.toLowerCase(), best.toLowerCase()) <= reach ? best : undefined;
};

/** `did you mean "x"?` where there is a near name, otherwise all known names. */
export const nameHints = (found: string, known: readonly string[], what: string): readonly string[] => {
  const near = suggestion(found, known);
  if (near !== undefined) return [`did you mean "${near}"?`];
  return known.length === 0 ? [] : [`${what}: ${known.join(', ')}`];
};
