import type { TextInput } from '../../data/tokenize.ts';
import type { TokenizerJson } from '../../data/tokenizer.ts';
import { tokenCounter } from '../../data/tokenizers/cut.ts';

/** How often each token occurs in texts. */
export const usedTokens = (json: TokenizerJson, texts: Iterable<TextInput>): ReadonlyMap<number, number> => {
  const { counts, see } = tokenCounter(json);
  for (const text of texts) see(text);
  return counts;
};
