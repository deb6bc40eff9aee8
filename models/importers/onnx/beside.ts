import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { labelsOf } from '../folder/labels.ts';
import { moduleFiles, modulesFile } from '../folder/sentence-modules.ts';
import { tokenizerFiles } from '../folder/tokenizer.ts';
import { vocabularyFiles } from '../folder/vocabulary.ts';
import { type ImportOptions, importError } from '../importer.ts';
import { type JsonObject, readJson, readJsonObject, readNumberTexts } from '../json-file.ts';

const configFile = 'config.json';

/** A graph of another maker, and the folders that say more of it. */
export interface Beside {
  readonly file: string;
  /** Where its tokenizer is; undefined where there is none. */
  readonly tokenizer: string | undefined;
  /** Where config.json is; undefined where there is none. */
  readonly config: string | undefined;
}

const holds = (folder: string, files: readonly string[]): boolean =>
  files.some((file) => existsSync(join(folder, file)));

const vocabularies: readonly string[] = ['tokenizer.json', vocabularyFiles.words, vocabularyFiles.vocabulary];

/** A folder that the user named, or the one of a file. */
const namedTokenizer = (given: string): string => {
  const folder = existsSync(given) && !statSync(given).isDirectory() ? dirname(given) : given;
  if (holds(folder, vocabularies)) return folder;
  throw importError(`tokenizer: ${given} holds no tokenizer; expected a folder with tokenizer.json, or with vocab.txt`);
};

/** Looks beside the file, and above it where it lies in a folder such as onnx/. */
export const besideOf = (specifier: string, base: string, { tokenizer }: Pick<ImportOptions, 'tokenizer'>): Beside => {
  const file = resolve(base, specifier);
  if (!existsSync(file) || !statSync(file).isFile()) throw importError(`${file} is no file: expected an ONNX model`);
  const around = [dirname(file), dirname(dirname(file))];
  const named = tokenizer === undefined ? undefined : namedTokenizer(resolve(base, tokenizer));
  const found = named ?? around.find((folder) => holds(folder, vocabularies));
  const places = [...around, ...(named === undefined ? [] : [named])];
  return { file, tokenizer: found, config: places.find((folder) => holds(folder, [configFile])) };
};

/** What to do where texts cannot become ids. */
export const expectTokenizer = ({ file, tokenizer }: Beside): string => {
  if (tokenizer !== undefined) return tokenizer;
  throw importError(
    `${basename(file)} has no tokenizer beside it, and without one no text can be read: lay tokenizer.json beside it, or name its folder with \`tokenizer: ./folder\`; ` +
      'decant inspect shows the graph without one',
  );
};

const list = (folder: string | undefined, files: readonly string[]): readonly string[] =>
  folder === undefined ? [] : files.filter((file) => existsSync(join(folder, file))).map((file) => join(folder, file));

const modulesIn = (folder: string | undefined): readonly string[] =>
  folder === undefined || !existsSync(join(folder, modulesFile)) ? [] : [modulesFile, ...moduleFiles(folder)];

/** The files beside the graph that an import reads, in a fixed order. */
export const filesBeside = ({ config, tokenizer }: Beside): readonly string[] => [
  ...list(config, [configFile, ...modulesIn(config)]),
  ...list(tokenizer, [...tokenizerFiles, ...Object.values(vocabularyFiles)]),
];

const schema = z.looseObject({
  model_type: z.string().nullish(),
  architectures: z.array(z.string()).nullish(),
  id2label: z.record(z.string(), z.unknown()).nullish(),
  label2id: z.record(z.string(), z.unknown()).nullish(),
  num_labels: z.int().min(1).max(1_000_000).nullish(),
  problem_type: z.string().nullish(),
  pad_token_id: z.int().nonnegative().nullish(),
  max_position_embeddings: z.number().nullish(),
});

/** What config.json says of a graph, as far as a graph does not say it itself. */
export interface Said {
  readonly modelType: string;
  readonly savedFrom: string;
  /** Names of classes; none where the file names none. */
  readonly labels: readonly string[];
  readonly problem: string | undefined;
  readonly padding: number | null;
  readonly positions: number | undefined;
  readonly tokenizerClass: unknown;
  readonly json?: JsonObject;
  readonly numbers?: Readonly<Record<string, string>>;
}

const nothing: Said = {
  ...{ modelType: '', savedFrom: '', labels: [], problem: undefined, padding: null, positions: undefined },
  tokenizerClass: undefined,
};

export const saidIn = (folder: string | undefined): Said => {
  if (folder === undefined) return nothing;
  const path = join(folder, configFile);
  const json = readJsonObject(path);
  const config = readJson(path, schema);
  const positions = config.max_position_embeddings ?? 0;
  return {
    modelType: config.model_type ?? '',
    savedFrom: config.architectures?.[0] ?? '',
    labels: config.id2label == null ? [] : labelsOf(config),
    problem: config.problem_type ?? undefined,
    padding: config.pad_token_id ?? null,
    positions: positions > 0 ? positions : undefined,
    tokenizerClass: json.tokenizer_class,
    json,
    numbers: readNumberTexts(path),
  };
};
