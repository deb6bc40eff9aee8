import type { TokenizerJson } from '../../data/tokenizer.ts';
import { partOf, vocabularyOf } from '../../data/tokenizers/parts.ts';

/** How the tokens of a vocabulary show where words begin. */
export interface Marks {
  /** The word that a token begins with; undefined where it begins none. */
  begins(token: string): string | undefined;
  /** Whether it goes on with the word before. */
  goesOn(token: string): boolean;
}

/** BPE over bytes and SentencePiece mark what follows a space. */
const afterSpace = ['\u0120', '\u2581'];

const letters = /^[\p{L}\p{N}\p{M}]/u;

/** WordPiece marks what goes on. */
const goingOnBy = (mark: string): Marks => ({
  begins: (token) => (token.startsWith(mark) ? undefined : token),
  goesOn: (token) => token.startsWith(mark),
});

const beginningBy = (mark: string): Marks => ({
  begins: (token) => (token.startsWith(mark) ? token.slice(mark.length) : undefined),
  goesOn: (token) => letters.test(token),
});

/** What the tokens of a tokenizer.json are marked by; undefined where they are not. */
export const marksOf = (tokenizer: TokenizerJson): Marks | undefined => {
  const { type, continuing_subword_prefix: prefix } = partOf(tokenizer.model);
  if (type === 'WordPiece') return goingOnBy(typeof prefix === 'string' && prefix !== '' ? prefix : '##');
  const tokens = [...vocabularyOf(tokenizer).keys()];
  const counts = afterSpace.map((mark) => [mark, tokens.filter((token) => token.startsWith(mark)).length] as const);
  const [most] = counts.sort(([, a], [, b]) => b - a);
  return most === undefined || most[1] === 0 ? undefined : beginningBy(most[0]);
};
