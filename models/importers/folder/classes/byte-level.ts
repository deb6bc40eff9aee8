import { flag, stepsOf, type TokenizerClass, typesOf } from './class.ts';

const isByteLevel = (part: unknown): boolean =>
  typesOf(part, 'pretokenizers').join() === 'ByteLevel' &&
  stepsOf(part, 'pretokenizers').every(({ use_regex }) => use_regex !== false);

/** RoBERTa's: pairs of bytes. */
export const byteLevel: TokenizerClass = {
  names: /^(Roberta|Longformer|Bart)Tokenizer$/,
  kind: 'BPE',
  roles: {
    bos_token: '<s>',
    eos_token: '</s>',
    unk_token: '<unk>',
    sep_token: '</s>',
    pad_token: '<pad>',
    cls_token: '<s>',
    mask_token: '<mask>',
  },
  settings: ['add_prefix_space', 'trim_offsets'],
  forms: {
    normalizer: (part) => part == null,
    pre_tokenizer: isByteLevel,
    model: {
      continuing_subword_prefix: [''],
      end_of_word_suffix: [''],
      fuse_unk: [false],
      byte_fallback: [false],
      ignore_merges: [false],
    },
  },
  parts: ({ settings, model }) => ({
    normalizer: null,
    pre_tokenizer: {
      type: 'ByteLevel',
      add_prefix_space: flag(settings, 'add_prefix_space', false),
      trim_offsets: true,
      use_regex: true,
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: model.vocab,
      merges: model.merges,
    },
  }),
  settingsOf: ({ pre_tokenizer, post_processor }) => ({
    add_prefix_space: Object(pre_tokenizer).add_prefix_space,
    trim_offsets: Object(post_processor).trim_offsets ?? true,
  }),
  framing: ['cls_token', 'sep_token'],
  frame: (cls, sep, { settings }) => ({
    type: 'RobertaProcessing',
    sep,
    cls,
    trim_offsets: flag(settings, 'trim_offsets', true),
    add_prefix_space: flag(settings, 'add_prefix_space', false),
  }),
};
