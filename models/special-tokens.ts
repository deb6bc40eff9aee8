import type { TokenizerJson } from '../data/tokenizer.ts';
import { addedTokensOf, listOf, partOf, vocabularyOf } from '../data/tokenizers/parts.ts';
import { type Model, type ModelInfo, tokenizerIn, tokensIn } from './model.ts';

type Reader = Pick<Model, 'tokenizer'> & { readonly info: Pick<ModelInfo, 'tokenizerConfig' | 'processor'> };

export interface Token {
  readonly id: number;
  readonly text: string;
}

/** What Hugging Face's own tokenizers call the token that stands in for another. */
const usualMasks = ['[MASK]', '<mask>'];

/** What a checkpoint's tokenizer_config.json calls a token: its text, or a record with it. */
const textOf = (token: unknown): string | undefined => {
  const text = typeof token === 'string' ? token : partOf(token).content;
  return typeof text === 'string' ? text : undefined;
};

/** The token that stands where another is to be filled in: the one that the checkpoint names, or a usual one. */
export const maskTokenOf = (model: Reader): Token | undefined => {
  const named = textOf(model.info.tokenizerConfig?.mask_token);
  const added = addedTokensOf(tokenizerIn(model));
  for (const text of [...(named === undefined ? [] : [named]), ...usualMasks]) {
    const token = added.find(({ content }) => content === text);
    if (token !== undefined) return { id: token.id, text };
  }
  return undefined;
};

/** The token that ends a text, as the checkpoint names it. */
export const endTokenOf = (model: Reader): Token | undefined => {
  const text = textOf(model.info.tokenizerConfig?.eos_token);
  const token = addedTokensOf(tokenizerIn(model)).find(({ content }) => content === text);
  return token === undefined || text === undefined ? undefined : { id: token.id, text };
};

/** Tokens that are no part of what a text says: special ones, padding, and the one for what is unknown. */
export const specialIds = (model: Reader): ReadonlySet<number> =>
  new Set([
    ...listOf(tokenizerIn(model).added_tokens).flatMap((token) => {
      const { id, special } = partOf(token);
      return typeof id === 'number' && special === true ? [id] : [];
    }),
    ...Object.values(tokensIn(model.info.processor)),
  ]);

/** Every id that texts can have. */
export const allIds = (tokenizer: TokenizerJson): readonly number[] =>
  [...new Set([...vocabularyOf(tokenizer).values(), ...addedTokensOf(tokenizer).map(({ id }) => id)])].sort(
    (a, b) => a - b,
  );
