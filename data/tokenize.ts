import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { ModelError } from '../ground/errors.ts';
import type { Example } from './dataset.ts';
import type { TokenizerJson } from './tokenizer.ts';
import { addedTokensOf, partOf } from './tokenizers/parts.ts';
import { riskyPatterns, withinLimit } from './tokenizers/time-limit.ts';

/** A text, or two that are read together (every example is one). */
export type TextInput = string | Pick<Example, 'text' | 'pair'>;

/** A text, or a pair of them, as a model reads it. */
export interface EncodedText {
  readonly ids: Int32Array;
  /** Which of two texts each token belongs to (token_type_ids); left out where all are 0. */
  readonly types?: Uint8Array;
  /** Position of the first token of each word, -1 where it did not fit; only where words are answered about. */
  readonly words?: Int32Array;
  /** Tokens that did not fit into the length; left out where all did. */
  readonly cut?: number;
}

/** Text to ids and back, as transformers.js will do it in the client. */
export interface TextEncoder {
  /**
   * Ids with special tokens; at least one. What is longer than `maxLength` is cut: special tokens stay, and of a pair the
   * longer text gives first.
   */
  encode(text: TextInput, maxLength: number): EncodedText;
  /**
   * A text given as its words, which are cut into tokens one by one, with the place of each. Equal to `encode` of the words
   * with single spaces between them wherever tokens never reach over a space.
   */
  encodeWords(words: readonly string[], maxLength: number): EncodedText;
  /** Ids go from 0 to size - 1. */
  readonly size: number;
  token(id: number): string | undefined;
}

/** What decant uses of @huggingface/tokenizers, whose own declarations do not resolve under NodeNext. */
interface Library {
  normalizer: ((text: string) => string) | null;
  pre_tokenizer: ((text: string, options: { section_index: number }) => string[]) | null;
  readonly post_processor:
    | ((tokens: string[], pair: string[] | null, special: boolean) => { readonly tokens: readonly string[] })
    | null;
  readonly model: {
    readonly vocab: readonly string[];
    readonly unk_token_id: number | undefined;
    encode(tokens: readonly string[]): string[];
  };
  readonly added_tokens_map: ReadonlyMap<string, { readonly id: number }>;
  token_to_id(token: string): number | undefined;
  /** Tokens of a text without special tokens around it. */
  tokenize(text: string): readonly string[];
}

const parts = ['normalizer', 'pre_tokenizer', 'model', 'post_processor', 'decoder', 'added_tokens'] as const;

const noWords: TokenizerJson = { type: 'WordPiece', vocab: {} };

/** Patterns of a file that nobody has looked at may never come to an end on some text: they get a limit. */
const limitPatterns = (library: Library, patterns: readonly string[]): void => {
  const { normalizer, pre_tokenizer } = library;
  if (normalizer !== null) library.normalizer = (text) => withinLimit(patterns, text, () => normalizer(text));
  if (pre_tokenizer !== null)
    library.pre_tokenizer = (text, options) => withinLimit(patterns, text, () => pre_tokenizer(text, options));
};

/** The library normalises added tokens as it is made, where nothing limits it: they are tried before, without a vocabulary. */
const tryAddedTokens = (json: TokenizerJson, patterns: readonly string[]): void => {
  const library: Library = new HuggingFaceTokenizer({ ...json, added_tokens: [], model: noWords }, {});
  limitPatterns(library, patterns);
  for (const { content } of addedTokensOf(json)) library.normalizer?.(content);
};

const load = (json: TokenizerJson): Library => {
  const missing = parts.filter((part) => !(part in json));
  if (missing.length > 0) {
    throw new ModelError(
      `tokenizer.json lacks ${missing.map((part) => `'${part}'`).join(', ')} (null where it has none)`,
    );
  }
  const risky = riskyPatterns(json);
  if (risky.length > 0) tryAddedTokens(json, risky);
  // Of a word-level model the library takes the unknown token from here alone.
  const { unk_token } = partOf(json.model);
  const library: Library = new HuggingFaceTokenizer(json, typeof unk_token === 'string' ? { unk_token } : {});
  if (risky.length > 0) limitPatterns(library, risky);
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

/** What texts are while the post-processor is asked where they go: no vocabulary has such tokens. */
const FIRST = '\u0000first';
const SECOND = '\u0000second';

/** What stands in one place of an encoded text: a special token, or all tokens of the first or second text. */
type Piece = { readonly id: number; readonly type: number } | { readonly text: 0 | 1; readonly type: number };

interface Processed {
  readonly tokens: readonly string[];
  readonly token_type_ids?: readonly number[];
}

/** Processors inside others, flat. */
const processorTypes = (json: unknown): readonly unknown[] => {
  const { type, processors } = Object(json);
  return Array.isArray(processors) ? processors.flatMap(processorTypes) : [type];
};

/** Where the texts go and which special tokens stand around them, as the post-processor says of one text or of two. */
const frameOf = (
  library: Library,
  idOf: (token: string) => number,
  json: TokenizerJson,
  texts: 1 | 2,
): readonly Piece[] => {
  const pair = texts === 2 ? [SECOND] : null;
  const processed: Processed = library.post_processor?.([FIRST], pair, true) ?? { tokens: [FIRST] };
  // Without a processor of its own a pair is one text behind the other, with their numbers as types.
  const whole = pair === null || processed.tokens.includes(SECOND);
  const tokens = whole ? processed.tokens : [...processed.tokens, SECOND];
  // Hugging Face's RoBERTa has one type for both texts; the library numbers them.
  const untyped = processorTypes(json.post_processor).includes('RobertaProcessing');
  const start = texts === 2 ? tokens.indexOf(SECOND) : tokens.length;
  return tokens.map((token, at): Piece => {
    const type = untyped ? 0 : (processed.token_type_ids?.[at] ?? Number(at >= start));
    if (token === FIRST || token === SECOND) return { text: token === FIRST ? 0 : 1, type };
    return { id: idOf(token), type };
  });
};

/** Lengths that two texts are cut to, longest first, as Hugging Face's tokenizers do it; texts that fit stay whole. */
const fitted = (first: number, second: number, room: number): readonly [number, number] => {
  if (first + second <= room) return [first, second];
  const shorter = Math.min(first, second);
  const both = Math.floor(room / 2);
  const [less, more] = room - shorter >= shorter ? [shorter, room - shorter] : [both, room - both];
  return first > second ? [more, less] : [less, more];
};

type Body = readonly number[];

/** Texts in their frame, cut to a length. */
const framed = (frame: readonly Piece[], bodies: readonly Body[], maxLength: number): EncodedText => {
  const [first = [], second = []] = bodies;
  const room = Math.max(0, maxLength - (frame.length - bodies.length));
  const lengths = fitted(first.length, second.length, room);
  const ids: number[] = [];
  const types: number[] = [];
  for (const piece of frame) {
    const part = 'id' in piece ? [piece.id] : (bodies[piece.text]?.slice(0, lengths[piece.text]) ?? []);
    for (const id of part) {
      ids.push(id);
      types.push(piece.type);
    }
  }
  const cut = first.length + second.length - lengths[0] - lengths[1];
  return {
    ids: Int32Array.from(ids.slice(-maxLength)),
    ...(types.some((type) => type !== 0) ? { types: Uint8Array.from(types.slice(-maxLength)) } : {}),
    ...(cut > 0 ? { cut } : {}),
  };
};

/** Words in the frame of one text, cut to a length. */
const framedWords = (frame: readonly Piece[], bodies: readonly Body[], maxLength: number): EncodedText => {
  const encoded = framed(frame, [bodies.flat()], maxLength);
  const opening = frame.findIndex((piece) => 'text' in piece);
  const kept = bodies.reduce((sum, body) => sum + body.length, 0) - (encoded.cut ?? 0);
  let at = 0;
  const words = Int32Array.from(bodies, (body) => {
    const place = at < kept ? opening + at : -1;
    at += body.length;
    return place;
  });
  return { ...encoded, words };
};

/** What stands before a word inside of a text for its tokens to be those that it has there: a space, or nothing. */
const separatorOf = (body: (text: string) => Body): string => {
  const whole = body('a b').join();
  return ['', ' '].find((separator) => [...body('a'), ...body(`${separator}b`)].join() === whole) ?? '';
};

/** Tokens of single words, kept: a million words are some ten thousand different ones. */
const wordEncoder = (
  body: (text: string) => Body,
  unknown: number,
): ((words: readonly string[]) => readonly Body[]) => {
  const separator = separatorOf(body);
  const cache = new Map<string, Body>();
  const encodeOne = (word: string): Body => {
    const known = cache.get(word);
    if (known !== undefined) return known;
    const tokens = body(word);
    // A word that the tokenizer drops, such as a lone control character, is answered about all the same.
    const some = tokens.length === 0 ? [unknown] : tokens;
    if (word.length <= LONGEST_CACHED && cache.size < CACHED_PRE_TOKENS) cache.set(word, some);
    return some;
  };
  return (words) => words.map((word, i) => encodeOne(i === 0 ? word : separator + word));
};

/** The encoder that a tokenizer.json describes: @huggingface/tokenizers, cut to a length and never empty. */
export const tokenizerOf = (json: TokenizerJson): TextEncoder => {
  const library = load(json);
  cachePreTokens(library);
  const { model, added_tokens_map: added } = library;
  const unknown = model.unk_token_id ?? 0;
  const idOf = (token: string): number => added.get(token)?.id ?? library.token_to_id(token) ?? unknown;
  const [single, double] = [frameOf(library, idOf, json, 1), frameOf(library, idOf, json, 2)];
  const body = (text: string): Body => library.tokenize(text).map(idOf);
  const bodies = wordEncoder(body, unknown);
  return {
    size: model.vocab.length,
    token: (id) => model.vocab[id],
    encode: (input, maxLength) => {
      const { text, pair } = typeof input === 'string' ? { text: input } : input;
      // An empty second text is none: so do transformers and transformers.js.
      const encoded =
        pair === undefined || pair === ''
          ? framed(single, [body(text)], maxLength)
          : framed(double, [body(text), body(pair)], maxLength);
      return encoded.ids.length === 0 ? { ids: Int32Array.of(unknown) } : encoded;
    },
    encodeWords: (words, maxLength) => framedWords(single, bodies(words), maxLength),
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

/** The words that the model of a tokenizer.json meets in a text or pair: what lies between added tokens, normalised. */
export const modelWordsOf = (json: TokenizerJson): ((input: TextInput) => readonly string[]) => {
  const library = load(json);
  let met: string[] = [];
  library.model.encode = (words) => {
    met.push(...words);
    return [];
  };
  return (input) => {
    met = [];
    const { text, pair = '' } = typeof input === 'string' ? { text: input } : input;
    for (const one of [text, pair]) library.tokenize(one);
    return met;
  };
};
