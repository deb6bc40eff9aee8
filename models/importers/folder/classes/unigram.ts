import { importError } from '../../importer.ts';
import type { JsonObject } from '../../json-file.ts';
import { addedToken } from '../added-token.ts';
import { flag, type Given, stepsOf, type TokenizerClass, templateOf, typesOf } from './class.ts';

const MARK = '\u2581';

/** Steps that a tokenizer of SentencePiece may have had before version 5, which compiles them or does without. */
const compiled = ['NFC', 'NFKC', 'Nmt', 'Precompiled', 'Replace', 'Strip'];

const isMadeOf =
  (...more: readonly string[]) =>
  (part: unknown): boolean =>
    typesOf(part, 'normalizers').every((type) => compiled.includes(type) || more.includes(type));

const isMarked = (part: unknown): boolean => {
  const steps = stepsOf(part, 'pretokenizers');
  const words = steps.filter(({ type }) => type !== 'WhitespaceSplit');
  const [{ type, replacement, split } = { type: undefined }] = words;
  return words.length === 1 && type === 'Metaspace' && replacement === MARK && split !== false;
};

const metaspace = (scheme: 'always' | 'first' | 'never') => ({
  replacement: MARK,
  prepend_scheme: scheme,
  split: true,
});

const marked = (scheme: 'always' | 'first' | 'never') => ({ type: 'Metaspace', ...metaspace(scheme) });

/** Words at spaces, each behind a mark. */
const words = (settings: JsonObject) => {
  const scheme = flag(settings, 'add_prefix_space', true) ? 'always' : 'never';
  return {
    pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, marked(scheme)] },
    decoder: marked(scheme),
  };
};

/** The table of characters that SentencePiece has compiled. */
const charsmap = ({ json }: Given): readonly JsonObject[] =>
  stepsOf(json?.normalizer, 'normalizers')
    .filter(({ type }) => type === 'Precompiled')
    .slice(0, 1);

const unigram = ({ model }: Given, unk_id: number): JsonObject => ({
  type: 'Unigram',
  unk_id,
  vocab: model.vocab,
  byte_fallback: false,
});

/** The place of a piece; the first of that text and score, where a score is asked for. */
const placeOf = ({ model }: Given, piece: string, score?: number): number =>
  Array.isArray(model.vocab)
    ? model.vocab.findIndex(([text, given]) => text === piece && (score === undefined || given === score))
    : -1;

/** Whether words at the beginning of a text are marked, too. */
const prefixed = ({ pre_tokenizer }: JsonObject): boolean =>
  stepsOf(pre_tokenizer, 'pretokenizers').some(({ prepend_scheme }) => prepend_scheme === 'always');

const has = (part: unknown, list: 'normalizers' | 'pretokenizers', type: string): boolean =>
  typesOf(part, list).includes(type);

const sentencePiece = {
  kind: 'Unigram',
  settingsOf: (parts: JsonObject): JsonObject => ({ add_prefix_space: prefixed(parts) }),
  settings: ['add_prefix_space'],
  forms: { normalizer: isMadeOf(), pre_tokenizer: isMarked, model: { byte_fallback: [false] } },
} as const satisfies Partial<TokenizerClass>;

const RESERVED = 3;

/** XLM-RoBERTa's. */
export const xlmRoberta: TokenizerClass = {
  ...sentencePiece,
  names: /^XLMRobertaTokenizer$/,
  roles: {
    bos_token: '<s>',
    eos_token: '</s>',
    unk_token: '<unk>',
    sep_token: '</s>',
    pad_token: '<pad>',
    cls_token: '<s>',
    mask_token: '<mask>',
  },
  forms: { ...sentencePiece.forms, model: { byte_fallback: [false], unk_id: [RESERVED] } },
  parts: (given) => ({
    normalizer: charsmap(given)[0] ?? null,
    ...words(given.settings),
    model: unigram(given, RESERVED),
  }),
  framing: ['bos_token', 'eos_token'],
  frame: (first, last) => templateOf([first, last], 2, 0),
};

/** CamemBERT's: XLM-RoBERTa's with tokens that are never used. */
export const camembert: TokenizerClass = {
  ...xlmRoberta,
  names: /^CamembertTokenizer$/,
  roles: { ...xlmRoberta.roles, mask_token: addedToken('<mask>', { lstrip: true, special: true }) },
  extra: ['<s>NOTUSED', '</s>NOTUSED', '<unk>NOTUSED'],
  forms: sentencePiece.forms,
  parts: (given) => ({
    normalizer: charsmap(given)[0] ?? null,
    ...words(given.settings),
    model: unigram(given, Math.max(0, placeOf(given, given.content('unk_token')))),
  }),
};

const quotes = ['``', "''"].map((text) => ({ type: 'Replace', pattern: { String: text }, content: '"' }));

const albertNormalizer = (given: Given): JsonObject => {
  const { settings } = given;
  const accents = flag(settings, 'keep_accents', false) ? [] : [{ type: 'NFKD' }, { type: 'StripAccents' }];
  const cases = flag(settings, 'do_lower_case', true) ? [{ type: 'Lowercase' }] : [];
  return { type: 'Sequence', normalizers: [...quotes, ...accents, ...cases, ...charsmap(given)] };
};

/** ALBERT's: the frame stays that of tokenizer.json. */
export const albert: TokenizerClass = {
  ...sentencePiece,
  names: /^AlbertTokenizer$/,
  roles: {
    bos_token: '[CLS]',
    eos_token: '[SEP]',
    unk_token: '<unk>',
    sep_token: '[SEP]',
    pad_token: '<pad>',
    cls_token: '[CLS]',
    mask_token: '[MASK]',
  },
  settings: ['add_prefix_space', 'do_lower_case', 'keep_accents', 'trim_offsets'],
  forms: {
    normalizer: isMadeOf('NFKD', 'StripAccents', 'Lowercase'),
    pre_tokenizer: isMarked,
    model: { byte_fallback: [false], unk_id: [1] },
  },
  parts: (given) => ({ normalizer: albertNormalizer(given), ...words(given.settings), model: unigram(given, 1) }),
  settingsOf: (parts) => ({
    add_prefix_space: prefixed(parts),
    do_lower_case: has(parts.normalizer, 'normalizers', 'Lowercase'),
    keep_accents: !has(parts.normalizer, 'normalizers', 'StripAccents'),
  }),
  keepsFrame: true,
  framing: ['cls_token', 'sep_token'],
  frame: (first, last) => templateOf([first, last], 1, 1),
};

const debertaNormalizer = (settings: JsonObject): JsonObject => ({
  type: 'Sequence',
  normalizers: [
    ...(flag(settings, 'do_lower_case', false) ? [{ type: 'Lowercase' }] : []),
    { type: 'Replace', pattern: { Regex: '\\s{2,}|[\\n\\r\\t]' }, content: ' ' },
    { type: 'NFC' },
    { type: 'Strip', strip_left: false, strip_right: true },
  ],
});

const debertaWords = (settings: JsonObject) => {
  const scheme = flag(settings, 'add_prefix_space', true) ? 'always' : 'first';
  const marks = flag(settings, 'split_by_punct', false) ? [{ type: 'Punctuation', behavior: 'Isolated' }] : [];
  return {
    pre_tokenizer: { type: 'Sequence', pretokenizers: [...marks, marked(scheme)] },
    decoder: marked(scheme),
  };
};

/** Where the vocabulary has the unknown token without a score, else where the settings say it is. */
const unknownPlace = (given: Given): number => {
  const own = placeOf(given, given.content('unk_token'), 0);
  const { unk_id = 1 } = given.settings;
  if (own >= 0) return own;
  if (typeof unk_id === 'number' && Number.isInteger(unk_id) && unk_id >= 0) return unk_id;
  throw importError(`tokenizer_config.json: unk_id is ${JSON.stringify(unk_id)}; expected an id`);
};

const isPunctuated = (part: unknown): boolean => {
  const steps = stepsOf(part, 'pretokenizers').filter(({ type }) => type !== 'Punctuation');
  return isMarked({ type: 'Sequence', pretokenizers: steps });
};

/** DeBERTa's of version 2 and 3. */
export const deberta: TokenizerClass = {
  ...sentencePiece,
  names: /^DebertaV2Tokenizer$/,
  roles: {
    bos_token: '[CLS]',
    eos_token: '[SEP]',
    unk_token: '[UNK]',
    sep_token: '[SEP]',
    pad_token: '[PAD]',
    cls_token: '[CLS]',
    mask_token: '[MASK]',
  },
  settings: ['add_prefix_space', 'do_lower_case', 'split_by_punct'],
  forms: {
    normalizer: isMadeOf('Lowercase'),
    pre_tokenizer: isPunctuated,
    model: { byte_fallback: [false] },
  },
  parts: (given) => ({
    normalizer: debertaNormalizer(given.settings),
    ...debertaWords(given.settings),
    model: unigram(given, unknownPlace(given)),
  }),
  settingsOf: (parts) => ({
    add_prefix_space: prefixed(parts),
    do_lower_case: has(parts.normalizer, 'normalizers', 'Lowercase'),
    split_by_punct: has(parts.pre_tokenizer, 'pretokenizers', 'Punctuation'),
  }),
  framing: ['cls_token', 'sep_token'],
  frame: (first, last) => templateOf([first, last], 1, 1),
};
