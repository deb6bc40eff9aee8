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

/** There are vocabularies of a million tokens, and many who ask. */
const vocabularies = new WeakMap<object, ReadonlyMap<string, number>>();

const idsIn = (vocab: object): ReadonlyMap<string, number> => {
  const ids = new Map<string, number>();
  if (Array.isArray(vocab)) {
    for (const [id, entry] of vocab.entries()) ids.set(String(Array.isArray(entry) ? entry[0] : entry), id);
    return ids;
  }
  const listed = partOf(vocab);
  for (const token in listed) {
    const id = listed[token];
    if (Object.hasOwn(listed, token)) ids.set(token, typeof id === 'number' ? id : Number.NaN);
  }
  return ids;
};

/**
 * Ids by token of a model whose vocabulary is a map (WordPiece, BPE) or a list of pieces with scores (Unigram); NaN for what is
 * no number.
 */
export const vocabularyIn = (model: unknown): ReadonlyMap<string, number> => {
  const { vocab } = partOf(model);
  if (typeof vocab !== 'object' || vocab === null) return new Map();
  const ids = vocabularies.get(vocab) ?? idsIn(vocab);
  vocabularies.set(vocab, ids);
  return ids;
};

/** The same of a tokenizer.json. */
export const vocabularyOf = ({ model }: TokenizerJson): ReadonlyMap<string, number> => vocabularyIn(model);
