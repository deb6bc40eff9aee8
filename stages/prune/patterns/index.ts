import { block } from './block.ts';
import { free } from './free.ts';
import { nOfM } from './n-of-m.ts';
import type { Pattern, PatternKind } from './pattern.ts';

/** Every form of pattern, the default first. */
export const patterns: readonly PatternKind[] = [free, nOfM, block];

/** The pattern that a text means, or what is wrong with it. */
export const parsePattern = (text: string): Pattern | { readonly problem: string } => {
  for (const kind of patterns) {
    const parsed = kind.parse(text);
    if (parsed !== undefined) return parsed;
  }
  const forms = patterns.map(({ example, summary }) => `'${example}' (${summary})`);
  return { problem: `expected a pattern: ${forms.join(', ')}; found '${text}'` };
};

/** The pattern of a text that was looked at before. */
export const patternOf = (text: string): Pattern => {
  const parsed = parsePattern(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed;
};
