import type { TokenizerJson } from '../../data/tokenizer.ts';
import type { Precision } from '../../models/files.ts';
import type { ModelInfo } from '../../models/model.ts';
import { addedTokens, tokenText } from './tokenizer.ts';

/** transformers.js finds a model's class by model_type and task; these pass input_ids and attention_mask only. */
const architectures: Readonly<Record<ModelInfo['task'], string>> = {
  features: 'DistilBertModel',
  'text-classification': 'DistilBertForSequenceClassification',
  'token-classification': 'DistilBertForTokenClassification',
  'fill-mask': 'DistilBertForMaskedLM',
};

/** Sizes under the names that DistilBertConfig uses. */
const sizeNames: Readonly<Record<string, string>> = {
  hidden: 'dim',
  layers: 'n_layers',
  heads: 'n_heads',
  ffn: 'hidden_dim',
  vocabulary: 'vocab_size',
};

const sizesOf = (info: ModelInfo): Record<string, number> => {
  const sizes: Record<string, number> = { max_position_embeddings: info.maxLength };
  for (const [name, size] of Object.entries(info.dimensions)) {
    const known = sizeNames[name];
    if (known !== undefined) sizes[known] = size;
  }
  return sizes;
};

/** config.json: what transformers.js needs to choose class and file, and what decant needs to read the folder again. */
export const configJson = (info: ModelInfo, files: readonly Precision[]): Record<string, unknown> => ({
  model_type: info.modelType,
  architectures: [architectures[info.task]],
  ...sizesOf(info),
  pad_token_id: info.tokens.padding,
  ...(info.labels.length === 0
    ? {}
    : {
        problem_type: 'single_label_classification',
        id2label: Object.fromEntries(info.labels.map((label, i) => [i, label])),
        label2id: Object.fromEntries(info.labels.map((label, i) => [label, i])),
      }),
  'transformers.js_config': { dtype: files.includes('q8') ? 'q8' : 'fp32' },
  decant: { files, model: { ...info, hiddenStates: [] } },
});

/** Roles of special tokens, from the model's own ids and from the names that Hugging Face's tokenizers give them. */
export const specialTokens = (info: ModelInfo, tokenizer: TokenizerJson): Record<string, string> => {
  const tokens: Record<string, string> = {};
  const roles = { pad_token: info.tokens.padding, unk_token: info.tokens.unknown };
  for (const [role, id] of Object.entries(roles)) {
    const text = tokenText(tokenizer, id);
    if (text !== undefined) tokens[role] = text;
  }
  const contents = addedTokens(tokenizer);
  for (const [role, text] of [
    ['cls_token', '[CLS]'],
    ['sep_token', '[SEP]'],
    ['mask_token', '[MASK]'],
  ] as const) {
    if (contents.includes(text)) tokens[role] = text;
  }
  return tokens;
};

export const tokenizerConfigJson = (info: ModelInfo, tokenizer: TokenizerJson): Record<string, unknown> => ({
  tokenizer_class: 'PreTrainedTokenizerFast',
  model_max_length: info.maxLength,
  model_input_names: Object.values(info.inputs),
  padding_side: 'right',
  truncation_side: 'right',
  clean_up_tokenization_spaces: false,
  ...specialTokens(info, tokenizer),
});
