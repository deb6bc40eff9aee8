import type { JsonObject } from '../../json-file.ts';
import { type AddedToken, addedToken } from '../added-token.ts';
import { flag, type Given, type TokenizerClass, templateOf, typesOf } from './class.ts';

const normalizerOf = (settings: JsonObject): JsonObject => ({
  type: 'BertNormalizer',
  clean_text: true,
  handle_chinese_chars: flag(settings, 'tokenize_chinese_chars', true),
  strip_accents: settings.strip_accents == null ? null : flag(settings, 'strip_accents', false),
  lowercase: flag(settings, 'do_lower_case', true),
});

const partsOf = ({ settings, model, content }: Given) => ({
  normalizer: normalizerOf(settings),
  pre_tokenizer: { type: 'BertPreTokenizer' },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: content('unk_token'),
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: model.vocab,
  },
});

const isBertNormalizer = (part: unknown): boolean => {
  const { type, clean_text } = Object(part);
  return type === 'BertNormalizer' && clean_text !== false;
};

const wordPiece = {
  kind: 'WordPiece',
  settings: ['do_lower_case', 'strip_accents', 'tokenize_chinese_chars'],
  forms: {
    normalizer: isBertNormalizer,
    pre_tokenizer: (part) => typesOf(part, 'pretokenizers').join() === 'BertPreTokenizer',
    model: { continuing_subword_prefix: ['##'], max_input_chars_per_word: [100] },
  },
  parts: partsOf,
  settingsOf: ({ normalizer }: JsonObject): JsonObject => {
    const { lowercase, strip_accents, handle_chinese_chars } = Object(normalizer);
    return { do_lower_case: lowercase, strip_accents, tokenize_chinese_chars: handle_chinese_chars };
  },
  framing: ['cls_token', 'sep_token'],
} as const satisfies Partial<TokenizerClass>;

/** BERT's, and those that are the same under another name. */
export const bert: TokenizerClass = {
  ...wordPiece,
  names: /^(Bert|Electra|MobileBert|ConvBert|SqueezeBert|LayoutLM)Tokenizer$/,
  roles: {
    unk_token: '[UNK]',
    sep_token: '[SEP]',
    pad_token: '[PAD]',
    cls_token: '[CLS]',
    mask_token: '[MASK]',
  },
  frame: (first, last) => templateOf([first, last], 1, 1),
};

/** BERT's without types. */
export const distilbert: TokenizerClass = { ...bert, names: /^DistilBertTokenizer$/, oneType: true };

const special = (content: string, flags: Partial<AddedToken> = {}): AddedToken =>
  addedToken(content, { special: true, ...flags });

/** MPNet's: BERT's pieces in RoBERTa's frame. */
export const mpnet: TokenizerClass = {
  ...wordPiece,
  names: /^MPNetTokenizer$/,
  roles: {
    bos_token: special('<s>'),
    eos_token: special('</s>'),
    unk_token: special('[UNK]'),
    sep_token: special('</s>'),
    pad_token: special('<pad>'),
    cls_token: special('<s>'),
    // The mask is a word of its own: it takes the space before it along.
    mask_token: special('<mask>', { lstrip: true }),
  },
  frame: (cls, sep) => ({ type: 'RobertaProcessing', sep, cls, trim_offsets: true, add_prefix_space: false }),
};
