import type { TokenizerJson } from '../../data/tokenizer.ts';

const record = (json: unknown): Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null ? (json as Readonly<Record<string, unknown>>) : {};

/** The text of a token id: added tokens first, then the vocabulary, a list of pairs or of texts, or a map to ids. */
export const tokenText = (tokenizer: TokenizerJson, id: number): string | undefined => {
  const added: unknown = tokenizer.added_tokens;
  const special = Array.isArray(added) ? added.map(record).find((token) => token.id === id) : undefined;
  if (typeof special?.content === 'string') return special.content;
  const { vocab } = record(tokenizer.model);
  if (Array.isArray(vocab)) {
    const entry: unknown = vocab[id];
    const text: unknown = Array.isArray(entry) ? entry[0] : entry;
    return typeof text === 'string' ? text : undefined;
  }
  return Object.entries(record(vocab)).find(([, index]) => index === id)?.[0];
};

/** Contents of the added tokens, special ones among them. */
export const addedTokens = (tokenizer: TokenizerJson): readonly unknown[] => {
  const added: unknown = tokenizer.added_tokens;
  return (Array.isArray(added) ? added : []).map((token) => record(token).content);
};
