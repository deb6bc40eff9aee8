import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { TokenizerJson } from '../data/tokenizer.ts';
import { readGraph, writeGraph } from '../graph/codec/index.ts';
import type { Graph } from '../graph/graph.ts';
import { isMissing, reworded, userErrors } from '../ground/errors.ts';
import { checkAdapter } from './adapter.ts';
import { expectAgreement } from './agree.ts';
import { parsedJson, readText } from './importers/json-file.ts';
import { infoFrom } from './info.ts';
import type { Model, ModelInfo } from './model.ts';
import { onnxFile, type Precision, precisions, preferred, sideFiles } from './precision.ts';
import { precisionOf } from './precision-of.ts';
import { hasSides, joinedSides } from './sides.ts';
import { readsTexts } from './signature.ts';

/** The files of a model artifact. */
const modelFiles = { graph: 'model.onnx', info: 'model.json', tokenizer: 'tokenizer.json' } as const;

/** The files of an exported folder, laid out as Hugging Face lays out its repositories. */
export const deployFiles = {
  config: 'config.json',
  tokenizer: 'tokenizer.json',
  tokenizerConfig: 'tokenizer_config.json',
  preprocessor: 'preprocessor_config.json',
} as const;

/** A model folder is damaged, incomplete or not decant's. */
const modelFileError = userErrors('model-file');

/** Absolute path of one of a folder's files by relative path. */
export type PathOf = (file: string) => string;

const boundedText = (path: string): string => {
  try {
    return readText(path);
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw modelFileError(`${path} does not exist: the model folder is incomplete`, { cause });
  }
};

const readJson = async (path: string): Promise<Readonly<Record<string, unknown>>> => {
  const text = boundedText(path);
  try {
    return z.record(z.string(), z.unknown()).parse(parsedJson(path, text));
  } catch (cause) {
    if (cause instanceof z.ZodError) throw modelFileError(`${path} is damaged: it holds no JSON object`, { cause });
    throw reworded(cause, (reason) => modelFileError(`${path} is damaged: ${reason}`, { cause }));
  }
};

const parseInfo = (path: string, json: unknown): ModelInfo => {
  const info = infoFrom(json);
  if (typeof info !== 'string') return info;
  throw modelFileError(`${path} does not describe a model of decant (decant.model/2 or /1): ${info}`);
};

const readGraphFile = async (path: string): Promise<Graph> => {
  try {
    return await readGraph(path);
  } catch (cause) {
    if (isMissing(cause)) throw modelFileError(`${path} does not exist: the model folder is incomplete`, { cause });
    // What is wrong with the file names it already.
    throw cause;
  }
};

/** Only models of texts have one. */
const readTokenizer = async ({ signature }: ModelInfo, path: () => string): Promise<Pick<Model, 'tokenizer'>> =>
  readsTexts(signature) ? { tokenizer: await readJson(path()) } : {};

/** What a model artifact says of itself, without its graph. */
export const readInfo = async (path: PathOf): Promise<ModelInfo> =>
  parseInfo(path(modelFiles.info), await readJson(path(modelFiles.info)));

const readStageFile = async (path: PathOf, graph: string): Promise<Model> => {
  const info = await readInfo(path);
  const tokenizer = (): string => path(modelFiles.tokenizer);
  const model = { graph: await readGraphFile(graph), info, ...(await readTokenizer(info, tokenizer)) };
  expectAgreement(model, { graph, info: path(modelFiles.info), tokenizer });
  return model;
};

/** Reads a model artifact through its path function, as a stage gets it. */
export const readModelArtifact = (path: PathOf): Promise<Model> => readStageFile(path, path(modelFiles.graph));

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** What an exported folder says of itself in config.json. */
interface Deployed {
  readonly files: readonly Precision[];
  readonly info: ModelInfo;
}

const deployed = z.object({ model: z.unknown(), files: z.array(z.enum(precisions)).min(1) });

/** Clients read the classes in one place of config.json, decant in another. */
const expectSameLabels = (path: string, labels: readonly string[], id2label: unknown): void => {
  if (labels.length === 0 || typeof id2label !== 'object' || id2label === null) return;
  const theirs = Object.values(id2label).map(String);
  if (theirs.length === labels.length && theirs.every((label, i) => label === labels[i])) return;
  throw modelFileError(
    `${path}: id2label names ${theirs.slice(0, 5).join(', ')}, but its 'decant' entry ${labels.slice(0, 5).join(', ')}: write the same classes in the same order`,
  );
};

const readDeployed = async (folder: string): Promise<Deployed> => {
  const path = join(folder, deployFiles.config);
  const { decant, id2label } = await readJson(path);
  if (decant === undefined) {
    throw modelFileError(
      `${folder} was not exported by decant: its config.json has no 'decant' entry. ` +
        `Where it is a model of Hugging Face, decant export ${folder} FOLDER makes one of it`,
    );
  }
  const parsed = deployed.safeParse(decant);
  if (!parsed.success) throw modelFileError(`${path} is damaged: its 'decant' entry names no files of the folder`);
  const info = parseInfo(path, parsed.data.model);
  expectSameLabels(path, info.labels, id2label);
  return { files: parsed.data.files, info };
};

/** The graph of a precision; of an encoder-decoder both files as the one graph that they were. */
const readPrecision = async (folder: string, info: ModelInfo, precision: Precision): Promise<Model> => {
  if (!hasSides(info)) return await readDeployFile(folder, info, join(folder, onnxFile(precision)));
  const { encoder, decoder } = sideFiles(precision);
  const [reads, writes] = [await readGraphFile(join(folder, encoder)), await readGraphFile(join(folder, decoder))];
  return await deployedModel(folder, info, {
    graph: joinedSides({ encoder: reads, decoder: writes }, info.signature),
    path: join(folder, decoder),
  });
};

const readDeployFile = async (folder: string, info: ModelInfo, path: string): Promise<Model> =>
  deployedModel(folder, info, { graph: await readGraphFile(path), path });

const deployedModel = async (
  folder: string,
  info: ModelInfo,
  { graph, path }: { readonly graph: Graph; readonly path: string },
): Promise<Model> => {
  const at = (file: string): string => join(folder, file);
  const tokenizer = (): string => at(deployFiles.tokenizer);
  const model = { graph, info, ...(await readTokenizer(info, tokenizer)) };
  expectAgreement(model, { graph: path, info: at(deployFiles.config), tokenizer });
  return model;
};

const lacking = (folder: string, precision: Precision, files: readonly Precision[]) =>
  modelFileError(`${folder} holds no ${precision} model; it has ${files.join(', ')}`);

const readDeployFolder = async (folder: string, { precision: wanted, file }: Wanted): Promise<Model> => {
  const { files, info } = await readDeployed(folder);
  if (file !== undefined) return await readDeployFile(folder, info, file);
  const precision = wanted ?? preferred(files);
  if (!files.includes(precision)) throw lacking(folder, precision, files);
  return await readPrecision(folder, info, precision);
};

const readStageFolder = async (folder: string, { precision: wanted, file }: Wanted): Promise<Model> => {
  const path: PathOf = (name) => join(folder, name);
  const model = await readStageFile(path, file ?? path(modelFiles.graph));
  const own = precisionOf(model.graph);
  if (wanted !== undefined && wanted !== own) throw lacking(folder, wanted, [own]);
  return model;
};

/** What kind of model a folder holds, by its files: a stage's, an exported one, another client's, or none. */
export const folderKind = async (folder: string): Promise<'stage' | 'exported' | 'checkpoint' | 'none'> => {
  checkAdapter(folder, 'model-file');
  if (await exists(join(folder, modelFiles.info))) return 'stage';
  if (!(await exists(join(folder, deployFiles.config)))) return 'none';
  return (await readJson(join(folder, deployFiles.config))).decant === undefined ? 'checkpoint' : 'exported';
};

/** Which model of a folder is meant: the one of a precision, or the one in a file. */
export interface Wanted {
  readonly precision?: Precision;
  readonly file?: string;
}

/**
 * Reads a model folder: a stage's (model.onnx, model.json, tokenizer.json) or an exported one (config.json and onnx/).
 * Of an exported folder the file in 8 bits is taken where there is one, unless `wanted` says otherwise.
 */
export const readModel = async (folder: string, wanted: Wanted = {}): Promise<Model> => {
  checkAdapter(folder, 'model-file');
  if (await exists(join(folder, modelFiles.info))) return await readStageFolder(folder, wanted);
  if (await exists(join(folder, deployFiles.config))) return await readDeployFolder(folder, wanted);
  throw modelFileError(
    `${folder} holds no model: expected model.json (a stage's folder) or config.json (an exported folder)`,
  );
};

/** Every model of a folder by precision: the one of a stage's folder, all files of an exported one. */
export const readModels = async (folder: string): Promise<ReadonlyMap<Precision, Model>> => {
  if ((await folderKind(folder)) === 'exported') {
    const { files, info } = await readDeployed(folder);
    const models = new Map<Precision, Model>();
    for (const precision of files) models.set(precision, await readPrecision(folder, info, precision));
    return models;
  }
  const model = await readModel(folder);
  return new Map([[precisionOf(model.graph), model]]);
};

/** tokenizer.json as text: one line a file would be unreadable, indented vocabularies would be twice as large. */
export const tokenizerText = (tokenizer: TokenizerJson): string => `${JSON.stringify(tokenizer)}\n`;

export const jsonText = (json: unknown): string => `${JSON.stringify(json, null, 2)}\n`;

/** Writes a model artifact. Equal models give equal bytes. */
export const writeModel = async (folder: string, model: Model): Promise<void> => {
  await mkdir(folder, { recursive: true });
  await writeGraph(join(folder, modelFiles.graph), model.graph);
  await writeFile(join(folder, modelFiles.info), jsonText(model.info));
  const { tokenizer } = model;
  if (tokenizer !== undefined) await writeFile(join(folder, modelFiles.tokenizer), tokenizerText(tokenizer));
};
