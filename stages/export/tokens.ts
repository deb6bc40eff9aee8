import type { TokenizerJson } from '../../data/tokenizer.ts';
import type { ModelInfo } from '../../models/model.ts';
import { pairTokenizerOf, tokenizerClasses } from './families.ts';
import { isAdded, tokenId, tokenText } from './tokenizer.ts';

type SpecialTokens = Readonly<Record<string, string>>;

/** What Hugging Face's own tokenizers call the tokens of a role; the first that a tokenizer has is taken. */
const usualNames: Readonly<Record<string, readonly string[]>> = {
  cls_token: ['[CLS]'],
  sep_token: ['[SEP]'],
  mask_token: ['[MASK]', '<mask>'],
};

const roles = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'];

/** A token is written as its text, or as a record with its text among other things. */
const contentOf = (token: unknown): string | undefined => {
  const content = typeof token === 'object' && token !== null && 'content' in token ? token.content : token;
  return typeof content === 'string' ? content : undefined;
};

const usualTokens = (tokenizer: TokenizerJson): SpecialTokens =>
  Object.fromEntries(
    Object.entries(usualNames).flatMap(([role, names]) => {
      const found = names.find((name) => isAdded(tokenizer, name));
      return found === undefined ? [] : [[role, found]];
    }),
  );

/** Those that the checkpoint names and the tokenizer still has: a vocabulary may have been cut since. */
const checkpointTokens = ({ tokenizerConfig = {} }: ModelInfo, tokenizer: TokenizerJson): SpecialTokens =>
  Object.fromEntries(
    roles.flatMap((role) => {
      const text = contentOf(tokenizerConfig[role]);
      return text === undefined || tokenId(tokenizer, text) === undefined ? [] : [[role, text]];
    }),
  );

const textOf = (tokenizer: TokenizerJson, role: string, id: number): SpecialTokens => {
  const text = tokenText(tokenizer, id);
  return text === undefined ? {} : { [role]: text };
};

/** Special tokens by role. Batches are padded with the very id that decant pads with, whatever the checkpoint says. */
export const specialTokens = (info: ModelInfo, tokenizer: TokenizerJson): SpecialTokens => ({
  ...textOf(tokenizer, 'pad_token', info.tokens.padding),
  ...textOf(tokenizer, 'unk_token', info.tokens.unknown),
  ...usualTokens(tokenizer),
  ...checkpointTokens(info, tokenizer),
  ...textOf(tokenizer, 'pad_token', info.tokens.padding),
});

/**
 * The checkpoint's tokenizer class where clients know it. A model that is told the texts of a pair apart needs a class
 * that makes token types: with any other, transformers.js feeds zeros and says nothing.
 */
const tokenizerClassOf = ({ modelType, inputs, tokenizerConfig }: ModelInfo): string => {
  const given = tokenizerConfig?.tokenizer_class;
  const known = typeof given === 'string' ? tokenizerClasses[given.replace(/Fast$/, '')] : undefined;
  if (inputs.types !== undefined && known?.types !== true) return pairTokenizerOf(modelType);
  return known !== undefined && typeof given === 'string' ? given : 'PreTrainedTokenizerFast';
};

/**
 * Settings that Python's tokenizer classes would otherwise assume. Not among them: what transformers.js would act on
 * besides tokenizer.json (remove_space, do_lowercase_and_remove_accent), for decant goes by tokenizer.json alone.
 */
const keptSettings = [
  'add_prefix_space',
  'clean_up_tokenization_spaces',
  'do_lower_case',
  'keep_accents',
  'strip_accents',
  'tokenize_chinese_chars',
  'trim_offsets',
];

const settingsOf = ({ tokenizerConfig = {} }: ModelInfo): Readonly<Record<string, unknown>> =>
  Object.fromEntries(keptSettings.flatMap((key) => (key in tokenizerConfig ? [[key, tokenizerConfig[key]]] : [])));

/** tokenizer_config.json. Texts are cut and padded at the end, as decant does, to the length that positions allow. */
export const tokenizerConfigJson = (info: ModelInfo, tokenizer: TokenizerJson): Record<string, unknown> => ({
  tokenizer_class: tokenizerClassOf(info),
  model_max_length: info.maxLength,
  model_input_names: Object.values(info.inputs),
  padding_side: 'right',
  truncation_side: 'right',
  clean_up_tokenization_spaces: false,
  ...settingsOf(info),
  ...specialTokens(info, tokenizer),
});
