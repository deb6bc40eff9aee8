import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { TokenizerJson } from '../../../data/tokenizer.ts';
import type { ModelInfo } from '../../model.ts';
import { ImportError } from '../importer.ts';
import { readJson } from '../json-file.ts';

export const modulesFile = 'modules.json';
export const textFile = 'sentence_bert_config.json';
export const promptFile = 'config_sentence_transformers.json';

const modulesSchema = z.array(
  z.object({
    // A folder beside the file, or the folder of the model itself.
    path: z.string().regex(/^(?!\.)[\w.-]*$/, 'expected the name of a folder beside it'),
    type: z.string(),
  }),
);

const flag = z.boolean().default(false);

/** 1_Pooling/config.json: a flag a mode, or in newer files one name. */
const poolingSchema = z.object({
  pooling_mode: z.string().optional(),
  pooling_mode_cls_token: flag,
  pooling_mode_mean_tokens: flag,
  pooling_mode_max_tokens: flag,
  pooling_mode_mean_sqrt_len_tokens: flag,
  pooling_mode_weightedmean_tokens: flag,
  pooling_mode_lasttoken: flag,
});

const modesOf = (pooling: z.infer<typeof poolingSchema>): readonly string[] =>
  pooling.pooling_mode !== undefined
    ? [pooling.pooling_mode]
    : Object.entries(pooling).flatMap(([key, on]) => (on === true ? key.replace(/^pooling_mode_|_tokens?$/g, '') : []));

const poolings: ReadonlyMap<string, 'mean' | 'first'> = new Map([
  ['mean', 'mean'],
  ['cls', 'first'],
]);

const poolingOf = (path: string): 'mean' | 'first' => {
  if (!existsSync(path)) throw new ImportError(`${modulesFile} lists a pooling whose config.json is not there`);
  const modes = modesOf(readJson(path, poolingSchema));
  const pooling = poolings.get(modes.join());
  if (pooling !== undefined) return pooling;
  throw new ImportError(
    `${modulesFile}: sentences are pooled by ${modes.join(' and ') || 'nothing'}; decant pools by mean or cls`,
  );
};

const known = ['Transformer', 'Pooling', 'Normalize'];

const promptSchema = z.object({
  prompts: z.record(z.string(), z.string()).nullish(),
  default_prompt_name: z.string().nullish(),
});

/** A prompt that stands before every text: the model's vectors are those of texts with it. */
const checkPrompt = (folder: string): void => {
  if (!existsSync(join(folder, promptFile))) return;
  const { prompts, default_prompt_name: name } = readJson(join(folder, promptFile), promptSchema);
  const prompt = name == null ? '' : (prompts?.[name] ?? '');
  if (prompt === '') return;
  throw new ImportError(
    `${promptFile}: every text begins with the prompt '${name}', ${JSON.stringify(prompt)}, which decant does not write: ` +
      'put it into the texts of the data, and null for default_prompt_name',
  );
};

/** Modules in the order in which decant computes them, the encoder in the folder itself. */
const checkModules = (modules: z.infer<typeof modulesSchema>, kinds: readonly string[]): void => {
  const elsewhere = modules.find(({ path }, i) => kinds[i] === 'Transformer' && path !== '');
  if (elsewhere !== undefined) {
    throw new ImportError(
      `${modulesFile} puts the Transformer into '${elsewhere.path}'; expected it beside ${modulesFile}: import that folder, or save the model again`,
    );
  }
  const order = kinds.join(', ');
  if (order === known.join(', ') || order === known.slice(0, 2).join(', ')) return;
  throw new ImportError(
    `${modulesFile} lists ${order}; decant computes one ${known.slice(0, 2).join(' and one ')}, and then perhaps ${known[2]}`,
  );
};

/** Files that say how a sentence becomes a vector, besides modules.json. */
export const poolingFiles = (folder: string): readonly string[] =>
  existsSync(join(folder, modulesFile))
    ? readJson(join(folder, modulesFile), modulesSchema)
        .filter(({ type }) => type.endsWith('.Pooling'))
        .map(({ path }) => join(path, 'config.json'))
    : [];

/** How a model of sentence-transformers makes one vector of a text; undefined for other models. */
export const readSentence = (folder: string): ModelInfo['sentence'] => {
  if (!existsSync(join(folder, modulesFile))) return undefined;
  const modules = readJson(join(folder, modulesFile), modulesSchema);
  const kinds = modules.map(({ type }) => type.split('.').at(-1) ?? type);
  const foreign = kinds.find((kind) => !known.includes(kind));
  if (foreign !== undefined) {
    throw new ImportError(
      `${modulesFile} lists the module ${foreign}; decant computes ${known.join(', ')}. Without ${modulesFile} the encoder alone is imported`,
    );
  }
  const [pooling] = poolingFiles(folder);
  if (pooling === undefined) throw new ImportError(`${modulesFile} lists no Pooling`);
  checkModules(modules, kinds);
  checkPrompt(folder);
  return { pooling: poolingOf(join(folder, pooling)), normalize: kinds.includes('Normalize') };
};

const textSchema = z.object({
  max_seq_length: z.int().positive().nullish(),
  do_lower_case: z.boolean().nullish(),
});

/** What sentence-transformers do with a text before the tokenizer sees it, and the longest that they encode, if they say. */
export const sentenceText = (folder: string): { readonly maxLength: number; readonly lowercase: boolean } => {
  const path = join(folder, textFile);
  const { max_seq_length, do_lower_case } = existsSync(path) ? readJson(path, textSchema) : {};
  return { maxLength: max_seq_length ?? Number.POSITIVE_INFINITY, lowercase: do_lower_case === true };
};

/** Whether a tokenizer writes texts in lower case by itself. */
const lowers = ({ normalizer }: TokenizerJson): boolean => {
  const { type, lowercase, normalizers } = Object(normalizer);
  if (Array.isArray(normalizers)) return normalizers.some((part) => lowers({ normalizer: part }));
  return type === 'Lowercase' || (type === 'BertNormalizer' && lowercase === true);
};

/** The tokenizer that lowers texts itself, so that every client does. */
export const lowercased = (json: TokenizerJson): TokenizerJson => {
  if (lowers(json)) return json;
  const first = { type: 'Lowercase' };
  const normalizers = json.normalizer == null ? [first] : [first, json.normalizer];
  return { ...json, normalizer: { type: 'Sequence', normalizers } };
};
