import { Tokenizer } from '@huggingface/tokenizers';
import type { TextInput } from '../tokenize.ts';
import type { TokenizerJson } from '../tokenizer.ts';

/** What decant uses of @huggingface/tokenizers, whose own declarations do not resolve under NodeNext. */
interface ClientLibrary {
  readonly model: { encode(tokens: readonly string[]): string[] };
  encode(
    text: string,
    options: {
      readonly text_pair: string | null;
      readonly add_special_tokens: true;
      readonly return_token_type_ids: true;
    },
  ): { readonly ids: readonly number[]; readonly token_type_ids?: readonly number[] };
}

const CACHED_PRE_TOKENS = 200_000;
const LONGEST_CACHED = 64;

/** Every model encodes pre-tokens one by one, so keeping what it said about each is exact; common words repeat a lot. */
const cachePreTokens = ({ model }: ClientLibrary): void => {
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

/** A text as transformers.js feeds it, whole. */
export interface ClientText {
  readonly ids: readonly number[];
  readonly types: readonly number[];
}

/** transformers.js at work: its own library in JavaScript, which reads texts in browsers, with the files that an export writes. */
export const clientOf = (
  json: TokenizerJson,
  config: Readonly<Record<string, unknown>>,
): ((input: TextInput) => ClientText) => {
  const library: ClientLibrary = new Tokenizer(json, config);
  cachePreTokens(library);
  return (input) => {
    const { text, pair = '' } = typeof input === 'string' ? { text: input } : input;
    const { ids, token_type_ids } = library.encode(text, {
      text_pair: pair === '' ? null : pair,
      add_special_tokens: true,
      return_token_type_ids: true,
    });
    return { ids, types: token_type_ids ?? [] };
  };
};
