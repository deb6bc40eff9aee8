import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { TokenizerJson } from '../../../data/tokenizer.ts';
import type { SentenceRule } from '../../model.ts';
import { importError } from '../importer.ts';
import { type JsonObject, readJson, readJsonObject } from '../json-file.ts';
import { carriedOut, checkKeys, type KeyTable, newerStrangers, noEffect, refused, refusedUnless } from './keys.ts';
import { checkNormalize, type Module, modulesFile, readModules, readPooling } from './sentence-modules.ts';
import { readSentenceSettings, type SentenceSettings } from './sentence-settings.ts';

export const promptFile = 'config_sentence_transformers.json';

const promptSchema = z.object({
  prompts: z.record(z.string(), z.string().nullable()).nullish(),
  default_prompt_name: z.string().nullish(),
  __version__: z.record(z.string(), z.string()).nullish(),
});

/** Functions that leave the order of classes alone. */
const monotonic = /^torch\.nn\.modules\.(linear\.Identity|activation\.(Sigmoid|Softmax|LogSoftmax|LogSigmoid|Tanh))$/;

export const promptKeys: KeyTable = {
  prompts: carriedOut,
  default_prompt_name: carriedOut,
  __version__: carriedOut,
  model_type: refused('decant imports SentenceTransformer and CrossEncoder', 'SentenceTransformer', 'CrossEncoder'),
  similarity_fn_name: noEffect('it compares vectors that are made already'),
  truncate_dim: refused('vectors are cut to their first numbers, which decant does not do; expected null'),
  activation_fn: refusedUnless(
    (value) => value === null || monotonic.test(String(value)),
    'what it does to the scores of classes is not known',
  ),
  keep_in_fp32_modules: noEffect('all of it is computed in float32'),
  requirements: noEffect('they are packages of Python'),
};

/** A prompt that stands before every text: the model's vectors are those of texts with it. */
const checkPrompt = (folder: string): void => {
  const path = join(folder, promptFile);
  if (!existsSync(path)) return;
  const { prompts, default_prompt_name: name, __version__: versions } = readJson(path, promptSchema);
  const written = versions?.sentence_transformers;
  checkKeys(promptFile, readJsonObject(path), promptKeys, newerStrangers('sentence-transformers', written));
  if (name == null) return;
  const prompt = prompts?.[name];
  if (prompt === '') return;
  throw importError(
    prompt == null
      ? `${promptFile}: default_prompt_name is '${name}', which prompts does not have; write null for none`
      : `${promptFile}: every text begins with the prompt '${name}', ${JSON.stringify(prompt)}, which decant does not write: ` +
          'put it into the texts of the data, and null for default_prompt_name',
  );
};

const known = ['Transformer', 'Pooling', 'Normalize'];

/** Modules in the order in which decant computes them, the encoder in the folder itself. */
const checkModules = (modules: readonly Module[]): void => {
  const kinds = modules.map(({ kind }) => kind);
  const foreign = kinds.find((kind) => !known.includes(kind));
  if (foreign !== undefined) {
    throw importError(
      `${modulesFile} lists the module ${foreign}; decant computes ${known.join(', ')}. Without ${modulesFile} the encoder alone is imported`,
    );
  }
  const elsewhere = modules.find(({ kind, path }) => kind === 'Transformer' && path !== '');
  if (elsewhere !== undefined) {
    throw importError(
      `${modulesFile} puts the Transformer into '${elsewhere.path}'; expected it beside ${modulesFile}: import that folder, or save the model again`,
    );
  }
};

const checkOrder = (modules: readonly Module[]): void => {
  const order = modules.map(({ kind }) => kind).join(', ');
  if (order === known.join(', ') || order === known.slice(0, 2).join(', ')) return;
  throw importError(
    `${modulesFile} lists ${order}; decant computes one ${known.slice(0, 2).join(' and one ')}, and then perhaps ${known[2]}`,
  );
};

/** What sentence-transformers make of a folder: the modules, and the settings of the encoder. */
export interface SentenceFolder {
  readonly modules: readonly Module[];
  readonly settings: SentenceSettings;
  /** A cross-encoder: one Transformer whose classifier stays on it. */
  readonly classifies: boolean;
}

/** undefined where the folder is no model of sentence-transformers: then their settings have no effect. */
export const readSentenceFolder = (folder: string): SentenceFolder | undefined => {
  const modules = readModules(folder);
  if (modules === undefined) return undefined;
  const settings = readSentenceSettings(folder);
  const classifies = settings.classifies && modules.length === 1 && modules[0]?.kind === 'Transformer';
  return { modules, settings, classifies };
};

/** How a model of sentence-transformers makes one vector of a text; undefined for other models and for cross-encoders. */
export const readSentence = (folder: string, sentence: SentenceFolder | undefined): SentenceRule | undefined => {
  if (sentence === undefined) return undefined;
  const { modules, classifies } = sentence;
  checkModules(modules);
  checkPrompt(folder);
  if (classifies) return undefined;
  const pooling = modules.find(({ kind }) => kind === 'Pooling');
  if (pooling === undefined) throw importError(`${modulesFile} lists no Pooling`);
  checkOrder(modules);
  const normalize = modules.find(({ kind }) => kind === 'Normalize');
  if (normalize !== undefined) checkNormalize(folder, normalize);
  return { pooling: readPooling(folder, pooling), normalize: normalize !== undefined };
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
  const normalizer: JsonObject = Object(json.normalizer);
  // Its own lower case keeps the tokenizer one that BERT's class makes. Accents stay or go as they did.
  if (normalizer.type === 'BertNormalizer')
    return {
      ...json,
      normalizer: { ...normalizer, lowercase: true, strip_accents: normalizer.strip_accents ?? false },
    };
  const first = { type: 'Lowercase' };
  const normalizers = json.normalizer == null ? [first] : [first, json.normalizer];
  return { ...json, normalizer: { type: 'Sequence', normalizers } };
};
