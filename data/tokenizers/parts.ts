import type { TokenizerJson } from '../tokenizer.ts';

/** A part of tokenizer.json, read as it is: files of many makers hold more and less than the format says. */
export type Part = Readonly<Record<string, unknown>>;

export const partOf = (json: unknown): Part =>
  typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as Part) : {};

export const listOf = (json: unknown): readonly unknown[] => (Array.isArray(json) ? json : []);

/** Tokens that texts are searched for before anything else is done to them. */
export const addedTokensOf = (json: TokenizerJson): readonly { readonly id: number; readonly content: string }[] =>
  listOf(json.added_tokens).flatMap((token) => {
    const { id, content } = partOf(token);
    return typeof id === 'number' && typeof content === 'string' ? [{ id, content }] : [];
  });

/** Ids by token of a vocabulary that is a map (WordPiece, BPE) or a list of pieces with scores (Unigram). */
export const vocabularyOf = (json: TokenizerJson): ReadonlyMap<string, number> => {
  const { vocab } = partOf(json.model);
  if (Array.isArray(vocab)) return new Map(vocab.map((entry, id) => [String(listOf(entry)[0]), id]));
  return new Map(Object.entries(partOf(vocab)).map(([token, id]) => [token, Number(id)]));
};
