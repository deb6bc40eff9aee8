import type { TextInput } from '../../data/tokenize.ts';
import type { TokenizerJson } from '../../data/tokenizer.ts';
import { countTokens } from '../../data/tokenizers/cut.ts';

/** How often each token occurs in texts. */
export const usedTokens = (json: TokenizerJson, texts: Iterable<TextInput>): Promise<ReadonlyMap<number, number>> =>
  countTokens(json, texts);
