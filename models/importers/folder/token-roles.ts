/** Files with tokens and settings beside the tokenizer itself. */
export const settingFiles = {
  config: 'tokenizer_config.json',
  special: 'special_tokens_map.json',
  added: 'added_tokens.json',
} as const;

/** In the order in which transformers adds them to the vocabulary. */
export const roles = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const;
export type Role = (typeof roles)[number];

export const isRole = (key: string): key is Role => roles.some((role) => role === key);
