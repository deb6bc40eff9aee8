import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { importError } from '../importer.ts';
import { type JsonObject, readJson, readJsonObject } from '../json-file.ts';
import { all, carriedOut, checkKeys, type KeyTable, noEffect, refused } from './keys.ts';

export const modulesFile = 'modules.json';

const modulesSchema = z.array(
  z.object({
    // A folder beside the file, or the folder of the model itself.
    path: z.string().regex(/^(?!\.)[\w.-]*$/, 'expected the name of a folder beside it'),
    type: z.string(),
    name: z.string().optional(),
  }),
);

/** A module of sentence-transformers: its kind, and the folder of its own files. */
export interface Module {
  readonly kind: string;
  readonly path: string;
}

/** The last part of a class of the library; a class of somebody else's stays whole, for nobody knows what it computes. */
const kindOf = (type: string): string =>
  /^sentence_transformers\./.test(type) ? (type.split('.').at(-1) ?? type) : type;

/** sentence-transformers keeps modules by their names: of two with one name only the second computes, in the place of the first. */
const checkModuleNames = (modules: z.infer<typeof modulesSchema>): void => {
  const names = modules.flatMap(({ name }) => name ?? []);
  const repeated = names.find((name, i) => names.indexOf(name) < i);
  if (repeated === undefined) return;
  throw importError(
    `${modulesFile} has two modules of the name ${JSON.stringify(repeated)}, of which sentence-transformers computes one: give each a name of its own`,
  );
};

/** The modules in a folder in the order in which they compute; undefined where it is no model of sentence-transformers. */
export const readModules = (folder: string): readonly Module[] | undefined => {
  if (!existsSync(join(folder, modulesFile))) return undefined;
  const modules = readJson(join(folder, modulesFile), modulesSchema);
  checkModuleNames(modules);
  return modules.map(({ path, type }) => ({ path, kind: kindOf(type) }));
};

const configOf = ({ path }: Module): string => join(path, 'config.json');

/** Files that say how a sentence becomes a vector, besides modules.json. */
export const moduleFiles = (folder: string): readonly string[] =>
  (readModules(folder) ?? [])
    .filter(({ kind, path }) => (kind === 'Pooling' || kind === 'Normalize') && path !== '')
    .map(configOf);

const flag = z.boolean().default(false);

/** 1_Pooling/config.json: a flag a mode, or in newer files one name or several. */
const poolingSchema = z.object({
  pooling_mode: z.union([z.string(), z.array(z.string())]).optional(),
  pooling_mode_cls_token: flag,
  pooling_mode_max_tokens: flag,
  pooling_mode_mean_tokens: flag,
  pooling_mode_mean_sqrt_len_tokens: flag,
  pooling_mode_weightedmean_tokens: flag,
  pooling_mode_lasttoken: flag,
});

/** The newer name, and the older one. */
const widthKeys = ['embedding_dimension', 'word_embedding_dimension'];

export const poolingKeys: KeyTable = {
  ...Object.fromEntries(Object.keys(poolingSchema.shape).map((key) => [key, carriedOut])),
  ...all(noEffect('the width is that of the weights'), ...widthKeys),
  include_prompt: noEffect('a prompt before every text is refused by its own file'),
};

export const normalizeKeys: KeyTable = {
  module_input_name: refused('decant normalises the vector of a text', 'sentence_embedding'),
  module_output_name: refused('decant normalises the vector of a text', 'sentence_embedding'),
};

/** Without a mode sentence-transformers take the mean. */
const modesOf = ({ pooling_mode: named, ...flags }: z.infer<typeof poolingSchema>): readonly string[] => {
  if (named !== undefined) return [named].flat();
  const modes = Object.entries(flags).flatMap(([key, on]) => (on ? key.replace(/^pooling_mode_|_tokens?$/g, '') : []));
  return modes.length === 0 ? ['mean'] : modes;
};

const poolings: ReadonlyMap<string, 'mean' | 'first'> = new Map([
  ['mean', 'mean'],
  ['cls', 'first'],
]);

const strangers = 'sentence-transformers does not load a folder that has it: take it out';

/** How the vectors of tokens become one. */
export const readPooling = (folder: string, module: Module): 'mean' | 'first' => {
  const file = configOf(module);
  if (!existsSync(join(folder, file)))
    throw importError(`${modulesFile} lists a pooling whose config.json is not there`);
  const json: JsonObject = readJsonObject(join(folder, file));
  checkKeys(file, json, poolingKeys, strangers);
  const modes = modesOf(readJson(join(folder, file), poolingSchema));
  const pooling = poolings.get(modes.join());
  if (pooling !== undefined && widthKeys.every((key) => json[key] == null)) {
    throw importError(
      `${file} has no ${widthKeys.join(' or ')}, without which sentence-transformers do not load it: write the hidden width there`,
    );
  }
  if (pooling !== undefined) return pooling;
  throw importError(`${modulesFile}: sentences are pooled by ${modes.join(' and ')}; decant pools by mean or cls`);
};

/** A normalisation may have a file of its own, which says of what. */
export const checkNormalize = (folder: string, module: Module): void => {
  const file = configOf(module);
  if (module.path === '' || !existsSync(join(folder, file))) return;
  checkKeys(file, readJsonObject(join(folder, file)), normalizeKeys, undefined);
};
