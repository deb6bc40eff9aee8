import type { JsonObject } from '../json-file.ts';
import { all, carriedOut, checkKeys, type KeyTable, noEffect, refused, type Strangers } from './keys.ts';
import { roles, settingFiles } from './token-roles.ts';

const tokens: KeyTable = all(carriedOut, ...roles, 'additional_special_tokens', 'extra_special_tokens');

const handedOver = refused(
  'it hands a part of the tokenizer over, which decant takes from tokenizer.json alone; take it out',
);

/** Keys of tokenizer_config.json, as transformers 4 and 5 write and read them. */
export const tokenizerKeys: KeyTable = {
  ...tokens,
  ...all(carriedOut, 'added_tokens_decoder', 'tokenizer_class', 'model_max_length', 'max_len', 'model_input_names'),
  ...all(carriedOut, 'do_lower_case', 'strip_accents', 'tokenize_chinese_chars', 'add_prefix_space', 'keep_accents'),
  ...all(carriedOut, 'split_by_punct', 'unk_id'),
  truncation_side: refused('decant cuts the end of long texts, as clients do: expected "right"', 'right'),
  split_special_tokens: refused('special tokens inside texts stay whole: expected false', false),
  fast_tokenizer_files: refused('the tokenizer stands in another file: name it tokenizer.json', [], ['tokenizer.json']),
  init_inputs: refused('decant does not know these arguments of a class: expected []', []),
  ...all(
    handedOver,
    'vocab',
    'merges',
    'post_processor',
    'tokenizer_padding',
    'tokenizer_truncation',
    'tokenizer_object',
  ),
  ...all(handedOver, '_json_padding', '_json_truncation', '_spm_precompiled_charsmap', 'gguf_file'),
  ...all(noEffect('tokenizer.json frames the texts, or the class does'), 'add_bos_token', 'add_eos_token'),
  ...all(noEffect('padding is masked, wherever it stands'), 'padding_side', 'pad_token_type_id', 'pad_to_multiple_of'),
  ...all(noEffect('every call says it anew'), 'max_length', 'stride', 'truncation', 'truncation_strategy', 'padding'),
  ...all(noEffect('it is about text that is made of ids'), 'clean_up_tokenization_spaces', 'errors', 'trim_offsets'),
  ...all(noEffect('it is about text that is made of ids'), 'decode_with_prefix_space', 'spaces_between_special_tokens'),
  ...all(
    noEffect('transformers 5 does not read it'),
    ...[
      'do_basic_tokenize',
      'never_split',
      'legacy',
      'sp_model_kwargs',
      'from_slow',
      'use_fast',
      'vocab_type',
      'remove_space',
    ],
    ...['do_lowercase_and_remove_accent', 'mask_token_sent', 'language', 'tokenizer_file', 'vocab_file', 'merges_file'],
    ...['special_tokens_map_file', 'added_tokens_file', 'name_or_path', 'is_local', 'local_files_only', 'vocab_size'],
    ...[
      'return_token_type_ids',
      'return_attention_mask',
      'use_default_system_prompt',
      'verbose',
      'device',
      'max_model_input_sizes',
    ],
  ),
  ...all(
    noEffect('it belongs to chats'),
    'chat_template',
    'response_template',
    'response_schema',
    'chat_control_tokens',
  ),
  ...all(
    noEffect('it names programs, which nobody here runs'),
    'auto_map',
    'processor_class',
    'backend',
    'files_loaded',
  ),
};

/** Whether a key names a token with a role that only this model has: those are read as tokens. */
export const isToken = (key: string, value: unknown): boolean =>
  key.endsWith('_token') && (typeof value === 'string' || typeof Object(value).content === 'string');

const without = (json: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(json).filter(([key, value]) => !isToken(key, value)));

const alone = 'transformers takes it for a setting of the tokenizer: write it into tokenizer_config.json';

/** Checks tokenizer_config.json. */
export const checkTokenizerKeys = (config: JsonObject, strangers: Strangers): void =>
  checkKeys(settingFiles.config, without(config), tokenizerKeys, strangers);

/** Checks special_tokens_map.json, where it is read. */
export const checkTokenMapKeys = (map: JsonObject): void =>
  checkKeys(settingFiles.special, without(map), tokens, alone);
