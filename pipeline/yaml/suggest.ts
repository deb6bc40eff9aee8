import { nearName } from '../../ground/near.ts';

/** `did you mean "x"?` where there is a near name, otherwise all known names. */
export const nameHints = (found: string, known: readonly string[], what: string): readonly string[] => {
  const near = nearName(found, known);
  if (near !== undefined) return [`did you mean "${near}"?`];
  return known.length === 0 ? [] : [`${what}: ${known.join(', ')}`];
};
