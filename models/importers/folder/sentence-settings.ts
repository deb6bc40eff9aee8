import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isRecord } from '../../../ground/records.ts';
import { importError } from '../importer.ts';
import { issueText, type JsonObject, readJsonObject } from '../json-file.ts';
import { carriedOut, checkKeys, type KeyTable, noEffect, refused, refusedUnless } from './keys.ts';

/** The names that releases of sentence-transformers have given the settings of the encoder; the first that says anything counts. */
export const settingsFiles = ['bert', 'roberta', 'distilbert', 'camembert', 'albert', 'xlm-roberta', 'xlnet'].map(
  (name) => `sentence_${name}_config.json`,
);

/** Settings of how Python computes, whatever it computes. */
const computing = [
  'attn_implementation',
  'device_map',
  'dtype',
  'low_cpu_mem_usage',
  'torch_dtype',
  'trust_remote_code',
];

const holdsOnly =
  (keys: readonly string[]) =>
  (value: unknown): boolean =>
    value === null || (isRecord(value) && Object.keys(value).every((key) => keys.includes(key)));

const modelArguments = refusedUnless(
  holdsOnly(computing),
  'it changes the model as it is loaded: write what it says into config.json, and {} here',
);
const tokenizerArguments = refusedUnless(
  holdsOnly(['model_max_length', 'padding_side', 'trust_remote_code', 'use_fast']),
  'it changes the tokenizer as it is loaded: write what it says into tokenizer_config.json, and {} here',
);
const tasks = ['feature-extraction', 'sequence-classification'];
const modality = { method: 'forward' };
const isPlainText = (value: unknown): boolean =>
  isRecord(value) &&
  Object.entries(value).every(
    ([name, how]) =>
      name === 'text' &&
      isRecord(how) &&
      how.method === modality.method &&
      ['last_hidden_state', 'logits'].includes(String(how.method_output_name)),
  );
const multiVector = refused('it belongs to models with a vector a token, which decant does not make; expected null');

/** Keys of the encoder's settings. */
export const settingsKeys: KeyTable = {
  max_seq_length: carriedOut,
  do_lower_case: carriedOut,
  tokenizer_args: tokenizerArguments,
  processor_kwargs: tokenizerArguments,
  model_args: modelArguments,
  model_kwargs: modelArguments,
  config_args: modelArguments,
  config_kwargs: modelArguments,
  transformer_task: refusedUnless(
    (value) => value === null || tasks.includes(String(value)),
    `decant imports ${tasks.join(' and ')}`,
  ),
  modality_config: refusedUnless(isPlainText, 'decant imports models that read plain text in one pass'),
  module_output_name: refused('expected "token_embeddings" or "scores"', 'token_embeddings', 'scores'),
  processing_kwargs: refusedUnless(
    (value) => value === null || (isRecord(value) && Object.values(value).every(holdsOnly([]))),
    'it changes how every text is tokenized: expected {}',
  ),
  unpad_inputs: noEffect('texts give the same with and without padding'),
  query_length: multiVector,
  document_length: multiVector,
  query_expansion: multiVector,
  tokenizer_name_or_path: refused('the tokenizer stands in another folder: copy its files here, and write null'),
  backend: noEffect('it says with which runtime Python computes'),
};

const schema = z.object({
  max_seq_length: z.int().positive().nullish(),
  do_lower_case: z.boolean().nullish(),
  transformer_task: z.string().nullish(),
  tokenizer_args: z.object({ model_max_length: z.int().positive().nullish() }).nullish(),
  processor_kwargs: z.object({ model_max_length: z.int().positive().nullish() }).nullish(),
});

const strangers = 'sentence-transformers does not load a folder that has it: take it out';

/** What sentence-transformers do with a text before the encoder sees it. */
export interface SentenceSettings {
  /** The longest text in tokens; undefined where only the tokenizer says it. */
  readonly maxLength: number | undefined;
  readonly lowercase: boolean;
  readonly classifies: boolean;
}

/** The settings file that counts, if there is one. */
const settingsOf = (folder: string): readonly [file: string, json: JsonObject] | undefined => {
  for (const file of settingsFiles) {
    const json = existsSync(join(folder, file)) ? readJsonObject(join(folder, file)) : {};
    if (Object.keys(json).length > 0) return [file, json];
  }
  return undefined;
};

/** The settings of the encoder in a folder of sentence-transformers. */
export const readSentenceSettings = (folder: string): SentenceSettings => {
  const [file, json] = settingsOf(folder) ?? ['', {}];
  const parsed = schema.safeParse(json, { reportInput: true });
  if (!parsed.success) throw importError(`${file}: ${issueText(parsed.error.issues)}`);
  checkKeys(file, json, settingsKeys, strangers);
  const { max_seq_length, do_lower_case, transformer_task, processor_kwargs, tokenizer_args } = parsed.data;
  const given = (processor_kwargs ?? tokenizer_args)?.model_max_length;
  return {
    maxLength: given ?? max_seq_length ?? undefined,
    lowercase: do_lower_case === true,
    classifies: transformer_task === 'sequence-classification',
  };
};
