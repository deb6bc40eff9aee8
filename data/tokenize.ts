import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import type { TokenizerJson } from './tokenizer.ts';

/** Text to ids and back, as transformers.js will do it in the client. */
export interface TextEncoder {
  /** Ids with special tokens, cut to `maxLength` with the closing special token kept; at least one id. */
  encode(text: string, maxLength: number): Int32Array;
  /** Ids go from 0 to size - 1. */
  readonly size: number;
  token(id: number): string | undefined;
}

/** What decant uses of @huggingface/tokenizers, whose own declarations do not resolve under NodeNext. */
interface Library {
  readonly normalizer: ((text: string) => string) | null;
  readonly pre_tokenizer: ((text: string, options: { section_index: number }) => string[]) | null;
  readonly post_processor:
    | ((tokens: string[], pair: null, special: boolean) => { readonly tokens: readonly string[] })
    | null;
  readonly model: {
    readonly vocab: readonly string[];
    readonly unk_token_id: number | undefined;
    encode(tokens: readonly string[]): string[];
  };
  encode(text: string): { readonly ids: readonly number[] };
}

const parts = ['normalizer', 'pre_tokenizer', 'model', 'post_processor', 'decoder', 'added_tokens'] as const;

const load = (json: TokenizerJson): Library => {
  const missing = parts.filter((part) => !(part in json));
  if (missing.length > 0) {
    throw new Error(`tokenizer.json lacks ${missing.map((part) => `'${part}'`).join(', ')} (null where it has none)`);
  }
  const library: Library = new HuggingFaceTokenizer(json, {});
  return library;
};

const CACHED_PRE_TOKENS = 200_000;
const LONGEST_CACHED = 64;

/** Every model encodes pre-tokens one by one, so keeping what it said about each is exact; common words repeat a lot. */
const cachePreTokens = ({ model }: Library): void => {
  const encode = model.encode.bind(model);
  const cache = new Map<string, readonly string[]>();
  const encodeOne = (preToken: string): readonly string[] => {
    const known = cache.get(preToken);
    if (known !== undefined) return known;
    const pieces = encode([preToken]);
    if (preToken.length <= LONGEST_CACHED && cache.size < CACHED_PRE_TOKENS) cache.set(preToken, pieces);
    return pieces;
  };
  model.encode = (preTokens) => preTokens.flatMap(encodeOne);
};

const BODY = '\u0000body';

/** How many special tokens the post-processor puts behind a text. */
const closingTokens = ({ post_processor }: Library): number => {
  const tokens = post_processor?.([BODY], null, true).tokens ?? [BODY];
  return tokens.length - 1 - tokens.indexOf(BODY);
};

/** The encoder that a tokenizer.json describes: @huggingface/tokenizers, cut to a length and never empty. */
export const tokenizerOf = (json: TokenizerJson): TextEncoder => {
  const library = load(json);
  cachePreTokens(library);
  const { model } = library;
  const closing = closingTokens(library);
  const empty = Int32Array.of(model.unk_token_id ?? 0);
  return {
    size: model.vocab.length,
    token: (id) => model.vocab[id],
    encode: (text, maxLength) => {
      const { ids } = library.encode(text);
      if (ids.length === 0) return empty.slice();
      if (ids.length <= maxLength) return Int32Array.from(ids);
      const kept = Math.max(0, maxLength - closing);
      return Int32Array.from([...ids.slice(0, kept), ...ids.slice(ids.length - closing)].slice(-maxLength));
    },
  };
};

/** The words a tokenizer.json cuts texts into before its model sees them: what trainers count. */
export const preTokenizerOf = (json: TokenizerJson): ((text: string) => readonly string[]) => {
  const { normalizer, pre_tokenizer } = load(json);
  return (text) => {
    const normalized = normalizer?.(text) ?? text;
    return pre_tokenizer?.(normalized, { section_index: 0 }) ?? [normalized];
  };
};
