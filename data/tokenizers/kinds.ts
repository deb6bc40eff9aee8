import { isRecord } from '../../ground/records.ts';
/** What a setting of a part of tokenizer.json may be. */
export interface Setting {
  readonly expected: string;
  holds(value: unknown): boolean;
  /** Whether files may leave it out. */
  readonly optional: boolean;
}

type Settings = Readonly<Record<string, Setting>>;

const setting = (expected: string, holds: (value: unknown) => boolean): Setting => ({
  expected,
  holds,
  optional: false,
});

/** May be left out or null. */
const maybe = ({ expected, holds }: Setting): Setting => ({
  expected: `${expected} or null`,
  holds: (value) => value === null || holds(value),
  optional: true,
});

/** May be left out, but not be null. */
const optional = (one: Setting): Setting => ({ ...one, optional: true });

const isText = (value: unknown): value is string => typeof value === 'string';
const flag = setting('true or false', (value) => typeof value === 'boolean');
const text = setting('a text', isText);
const character = setting('one character', (value) => isText(value) && Array.from(value).length === 1);
const count = setting('a whole number', (value) => Number.isSafeInteger(value) && Number(value) >= 0);
const positive = setting('a whole number from 1 on', (value) => count.holds(value) && value !== 0);
const list = setting('a list', Array.isArray);
const object = setting('an object', isRecord);
const oneOf = (...names: readonly string[]): Setting =>
  setting(`one of ${names.join(', ')}`, (value) => isText(value) && names.includes(value));

const pattern = setting('{"String": text} or {"Regex": text}', (value) => {
  if (!isRecord(value)) return false;
  const [[kind, what] = [], ...more] = Object.entries(value);
  return (kind === 'String' || kind === 'Regex') && isText(what) && more.length === 0;
});

const behaviors = oneOf('Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous');

const ending = setting(
  '[token, id]',
  (value) => Array.isArray(value) && value.length === 2 && isText(value[0]) && count.holds(value[1]),
);

/** Never, since texts would become other tokens each time that they are read. */
const noDropout = setting('0 (texts would become other tokens each time)', (value) => value === 0);

const normalizers: Readonly<Record<string, Settings>> = {
  BertNormalizer: { clean_text: flag, handle_chinese_chars: flag, strip_accents: maybe(flag), lowercase: flag },
  ByteLevel: {},
  Lowercase: {},
  NFC: {},
  NFD: {},
  NFKC: {},
  NFKD: {},
  Nmt: {},
  Precompiled: { precompiled_charsmap: text },
  Prepend: { prepend: text },
  Replace: { pattern, content: text },
  Sequence: { normalizers: list },
  Strip: { strip_left: flag, strip_right: flag },
  StripAccents: {},
};

const byteLevel = { add_prefix_space: flag, trim_offsets: flag, use_regex: optional(flag) };

const preTokenizers: Readonly<Record<string, Settings>> = {
  BertPreTokenizer: {},
  ByteLevel: byteLevel,
  CharDelimiterSplit: { delimiter: character },
  Digits: { individual_digits: flag },
  FixedLength: { length: optional(positive) },
  Metaspace: {
    replacement: character,
    prepend_scheme: optional(oneOf('first', 'never', 'always')),
    split: optional(flag),
    // Older versions of the format.
    add_prefix_space: optional(flag),
    str_rep: optional(text),
  },
  Punctuation: { behavior: optional(behaviors) },
  Sequence: { pretokenizers: list },
  Split: { pattern, behavior: behaviors, invert: flag },
  UnicodeScripts: {},
  Whitespace: {},
  WhitespaceSplit: {},
};

const postProcessors: Readonly<Record<string, Settings>> = {
  BertProcessing: { sep: ending, cls: ending },
  ByteLevel: byteLevel,
  RobertaProcessing: { sep: ending, cls: ending, trim_offsets: flag, add_prefix_space: flag },
  Sequence: { processors: list },
  TemplateProcessing: { single: list, pair: list, special_tokens: object },
};

const models: Readonly<Record<string, Settings>> = {
  BPE: {
    dropout: maybe(noDropout),
    unk_token: maybe(text),
    continuing_subword_prefix: maybe(text),
    end_of_word_suffix: maybe(text),
    fuse_unk: optional(flag),
    byte_fallback: optional(flag),
    ignore_merges: optional(flag),
    vocab: object,
    merges: list,
  },
  Unigram: { unk_id: maybe(count), byte_fallback: optional(flag), vocab: list },
  WordLevel: { unk_token: text, vocab: object },
  WordPiece: {
    unk_token: optional(text),
    continuing_subword_prefix: optional(text),
    max_input_chars_per_word: optional(count),
    vocab: object,
  },
};

/** Every kind of every part that the library computes, with all settings that it reads. */
export const kinds = {
  normalizer: normalizers,
  pre_tokenizer: preTokenizers,
  post_processor: postProcessors,
  model: models,
} as const;
export type PartName = keyof typeof kinds;

/** Where a part of several holds them. */
export const inside: Readonly<Record<Exclude<PartName, 'model'>, string>> = {
  normalizer: 'normalizers',
  pre_tokenizer: 'pretokenizers',
  post_processor: 'processors',
};

/** The settings of an added token; none may be left out. */
export const addedToken: Settings = {
  id: count,
  content: text,
  single_word: flag,
  lstrip: flag,
  rstrip: flag,
  normalized: flag,
  special: flag,
};

export const topLevel: readonly string[] = [
  ...[
    'version',
    'truncation',
    'padding',
    'added_tokens',
    'normalizer',
    'pre_tokenizer',
    'post_processor',
    'decoder',
    'model',
  ],
];
