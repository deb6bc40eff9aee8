import type { TokenizerJson } from '../../data/tokenizer.ts';

const record = (json: unknown): Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null ? (json as Readonly<Record<string, unknown>>) : {};

const addedTokens = (tokenizer: TokenizerJson): readonly Readonly<Record<string, unknown>>[] => {
  const added: unknown = tokenizer.added_tokens;
  return Array.isArray(added) ? added.map(record) : [];
};

/** Texts of the vocabulary with their ids: a list of pairs or of texts, or a map to ids. */
const vocabularyOf = (tokenizer: TokenizerJson): readonly (readonly [unknown, unknown])[] => {
  const { vocab } = record(tokenizer.model);
  if (!Array.isArray(vocab)) return Object.entries(record(vocab));
  return vocab.map((entry: unknown, id) => [Array.isArray(entry) ? entry[0] : entry, id] as const);
};

/** The text of a token id: added tokens first, then the vocabulary. */
export const tokenText = (tokenizer: TokenizerJson, id: number): string | undefined => {
  const special = addedTokens(tokenizer).find((token) => token.id === id)?.content;
  const text = special ?? vocabularyOf(tokenizer).find(([, index]) => index === id)?.[0];
  return typeof text === 'string' ? text : undefined;
};

/** The id of a token's text: added tokens first, then the vocabulary. */
export const tokenId = (tokenizer: TokenizerJson, text: string): number | undefined => {
  const special = addedTokens(tokenizer).find(({ content }) => content === text)?.id;
  const id = special ?? vocabularyOf(tokenizer).find(([token]) => token === text)?.[1];
  return typeof id === 'number' ? id : undefined;
};

/** Whether a text is one of the added tokens, special ones among them. */
export const isAdded = (tokenizer: TokenizerJson, text: string): boolean =>
  addedTokens(tokenizer).some(({ content }) => content === text);
