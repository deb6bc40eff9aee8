import type { TokenizerJson } from '../tokenizer.ts';
import { listOf, type Part, partOf } from './parts.ts';

/** What transformers.js's library does otherwise, or not at all, with a part of a kind; undefined where it carries it out. */
type Limit = (part: Part, model: Part) => string | undefined;

const isPresent = (): string => '';

const normalizers: Readonly<Record<string, Limit>> = {
  ByteLevel: isPresent,
  Nmt: isPresent,
  Precompiled: () => 'precompiled_charsmap, in whose place stands one general normalisation without case folding',
};

const split: Limit = ({ pattern, behavior, invert }) => {
  const { String: text } = partOf(pattern);
  if (invert === true) return behavior === 'Removed' ? undefined : `behavior ${behavior} with invert`;
  if (typeof text === 'string')
    return behavior === 'Removed' ? 'behavior Removed with a text as its pattern' : undefined;
  return behavior === 'Removed' || behavior === 'Isolated' ? undefined : `behavior ${behavior}`;
};

const preTokenizers: Readonly<Record<string, Limit>> = {
  CharDelimiterSplit: isPresent,
  UnicodeScripts: isPresent,
  FixedLength: () => 'length, which it counts in UTF-16 units',
  Whitespace: () => 'words beyond ASCII',
  Punctuation: ({ behavior = 'Isolated' }) => (behavior === 'Contiguous' ? undefined : `behavior ${behavior}`),
  Digits: ({ individual_digits }) => (individual_digits === true ? 'digits beyond ASCII' : undefined),
  Metaspace: (_, { type }) =>
    type === 'WordPiece' || type === 'WordLevel' ? `split before a ${type} model` : undefined,
  Split: split,
};

const models: Readonly<Record<string, Limit>> = {
  BPE: ({ fuse_unk, continuing_subword_prefix: prefix, unk_token, vocab, byte_fallback }) => {
    if (fuse_unk === true && byte_fallback !== true) return 'fuse_unk';
    if (typeof prefix === 'string' && prefix !== '') return 'continuing_subword_prefix';
    // A vocabulary of all bytes leaves nothing unknown.
    const whole = ['Ġ', 'Ċ', 'ĉ'].every((byte) => Object.hasOwn(partOf(vocab), byte));
    return typeof unk_token === 'string' || whole
      ? undefined
      : 'unk_token null: it puts a token where Python puts none';
  },
  Unigram: ({ byte_fallback }) => (byte_fallback === true ? 'byte_fallback' : undefined),
};

const inside = ['normalizers', 'pretokenizers'] as const;

const named = (at: string, json: unknown, limits: Readonly<Record<string, Limit>>, model: Part): readonly string[] => {
  const part = partOf(json);
  const { type } = part;
  const limit = typeof type === 'string' && Object.hasOwn(limits, type) ? limits[type]?.(part, model) : undefined;
  const own = limit === undefined ? [] : [limit === '' ? `${at} ${type}` : `${at} ${type} (${limit})`];
  return [...own, ...inside.flatMap((key) => listOf(part[key])).flatMap((inner) => named(at, inner, limits, model))];
};

const singleWords = (json: TokenizerJson): readonly string[] =>
  listOf(json.added_tokens).some((token) => partOf(token).single_word === true)
    ? ['added_tokens with single_word']
    : [];

/** Settings of a tokenizer.json that transformers.js does not carry out, or carries out otherwise than Python. */
export const clientLimits = (json: TokenizerJson): readonly string[] => {
  const model = partOf(json.model);
  const all = [
    ...named('normalizer', json.normalizer, normalizers, model),
    ...named('pre_tokenizer', json.pre_tokenizer, preTokenizers, model),
    ...named('model', model, models, model),
    ...singleWords(json),
  ];
  return [...new Set(all)];
};
