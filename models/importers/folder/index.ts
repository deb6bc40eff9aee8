import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { TokenizerJson } from '../../../data/tokenizer.ts';
import { largestType } from '../../../data/tokenizers/types.ts';
import type { Graph, Value } from '../../../graph/graph.ts';
import { hasClasses, modelTask, type TaskName, taskWith } from '../../../ground/tasks.ts';
import { checkAdapter } from '../../adapter.ts';
import { hiddenStatesFact } from '../../anatomy/hidden-states.ts';
import { endOfTypes } from '../../anatomy/tokens.ts';
import type { Encoded } from '../../architectures/architecture.ts';
import type { ModelFacts } from '../../facts.ts';
import { outputPort } from '../../info.ts';
import type { Model, ModelInfo } from '../../model.ts';
import { tensorFiles } from '../../safetensors/folder.ts';
import { textSignature } from '../../signature.ts';
import { type ImportOptions, importError } from '../importer.ts';
import { readActivation } from './activation.ts';
import { configFile, type FolderConfig, headOf, readConfig, takesEncoder } from './config.ts';
import { checkCopies } from './copies.ts';
import { emitFolder } from './emitting.ts';
import { headRoles } from './head-roles.ts';
import { promptFile, readSentence, readSentenceFolder, type SentenceFolder } from './sentence.ts';
import { moduleFiles, modulesFile } from './sentence-modules.ts';
import { settingsFiles } from './sentence-settings.ts';
import { tokenizerSettings } from './settings.ts';
import { originOf, readme } from './tensors.ts';
import { folderRules, readFolderTokenizer, tokenizerFiles } from './tokenizer.ts';
import { tryTokenizer } from './try-tokenizer.ts';
import { vocabularyFiles } from './vocabulary.ts';

/** Old models of sentence-transformers keep the encoder in a folder of its own. */
const insteadOf = (folder: string): string =>
  existsSync(join(folder, modulesFile))
    ? `: its ${modulesFile} keeps the encoder in another folder; copy that folder's files beside ${modulesFile} and set its path to ""`
    : ': it is no model of Hugging Face';

/** Paths of the files of a folder that an import reads, in a fixed order. */
export const folderFiles = (folder: string): readonly string[] => {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw importError(`${folder} is no folder: expected one with ${configFile}, model.safetensors and tokenizer.json`);
  }
  checkAdapter(folder);
  if (!existsSync(join(folder, configFile))) {
    throw importError(`the folder ${basename(folder)} has no ${configFile}${insteadOf(folder)}`);
  }
  const tokenizer = [...tokenizerFiles, ...Object.values(vocabularyFiles)];
  const optional = [...tokenizer, modulesFile, ...moduleFiles(folder), ...settingsFiles, promptFile, readme];
  const files = [configFile, ...tensorFiles(folder), ...optional.filter((file) => existsSync(join(folder, file)))];
  return files.map((file) => join(folder, file));
};

interface Emitted {
  readonly graph: Graph;
  readonly encoded: Encoded;
  readonly output: Value;
  readonly task: TaskName | undefined;
}

/** A cross-encoder is a classifier; without one sentence-transformers would draw its weights at random. */
const checkClassifier = ({ savedFrom }: FolderConfig, sentence: SentenceFolder | undefined): void => {
  if (sentence?.classifies !== true || savedFrom.endsWith('ForSequenceClassification')) return;
  throw importError(
    `${modulesFile} says that the model classifies, ${configFile} that it was saved from ${savedFrom || 'no class'}: ` +
      `expected one that ends in ForSequenceClassification; ${takesEncoder}`,
  );
};

const emitGraph = (folder: string, config: FolderConfig, headless: boolean): Emitted => {
  const task = headOf(config, headless);
  const head = task === undefined ? undefined : config.plan.head(task);
  const { values, ...emitted } = emitFolder(folder, config, {
    ...{ head, headless },
    check: (tensors, { table }) => checkCopies(tensors, head?.copies ?? [], table),
  });
  return { ...emitted, encoded: values, task };
};

/** A type that the model has no row for would end inside of its look-up. */
const checkTypes = (tokenizer: TokenizerJson, { graph, encoded }: Emitted): void => {
  const [type, rows] = [largestType(tokenizer.post_processor), endOfTypes(graph, encoded.inputs.types)];
  if (type < rows) return;
  throw importError(
    `tokenizer.json: its post_processor gives tokens the type_id ${type}, but the model has ${rows} types, 0 to ${rows - 1} ` +
      `(type_vocab_size in ${configFile}): mend the type_id, or take the tokenizer of this model`,
  );
};

const dimensionsOf = ({ plan: { facts } }: FolderConfig): Readonly<Record<string, number>> => {
  const { embedding, hidden, layers, heads, kvHeads, headWidth, ffn, vocabulary } = facts;
  return {
    ...(embedding === hidden ? {} : { embedding }),
    ...{ hidden, layers, heads },
    ...(kvHeads === undefined ? {} : { kvHeads }),
    ...(headWidth === undefined ? {} : { headWidth }),
    ...{ ffn, vocabulary },
  };
};

const infoOf = (
  { folder, name }: { readonly folder: string; readonly name: string },
  config: FolderConfig,
  emitted: Emitted,
): Omit<ModelInfo, 'processor' | 'maxLength'> => {
  const { graph, encoded, output, task } = emitted;
  return {
    schema: 'decant.model/2',
    task: task ?? taskWith('text', 'vector'),
    labels: task === undefined || !hasClasses(task) ? [] : config.labels,
    signature: textSignature(encoded.inputs, outputPort(task ?? taskWith('text', 'vector'), output)),
    ...hiddenStatesFact(graph, encoded.hiddenStates),
    modelType: config.modelType,
    checkpoint: config.json,
    checkpointNumbers: config.numbers,
    dimensions: dimensionsOf(config),
    origin: originOf(folder, name, config.modelType),
  };
};

/** The vectors of sentence-transformers are made of the encoder alone. */
const leavesHead = (modules: SentenceFolder | undefined): boolean => modules?.classifies === false;

const tokenizerFacts = ({ modelType, json, strangers, plan }: FolderConfig) => {
  const { vocabulary, padding } = plan.facts;
  return { modelType, tokenizerClass: json.tokenizer_class, vocabulary, padding, strangers };
};

/** What is wrong with a tokenizer is told by whoever needs it. */
const rulesIn = (folder: string, config: FolderConfig, sentence: SentenceFolder | undefined): unknown => {
  try {
    return folderRules(folder, tokenizerFacts(config), sentence?.settings);
  } catch {
    return undefined;
  }
};

/** What the files beside the weights say. */
export const folderFacts = (folder: string, head: ImportOptions['head']): ModelFacts => {
  const config = readConfig(folder);
  const sentence = readSentenceFolder(folder);
  const task = headOf(config, head === 'new' || leavesHead(sentence));
  const { maxLength } = config.plan.facts;
  return {
    task: task ?? taskWith('text', 'vector'),
    labels: task === undefined || !hasClasses(task) ? [] : config.labels,
    modelType: config.modelType,
    maxLength: Math.min(maxLength, sentence?.settings.maxLength ?? maxLength),
    sizes: { embedding: config.plan.facts.embedding, ...dimensionsOf(config) },
    head: task === undefined ? [] : headRoles(config.plan, task, config.labels.length),
    reads: () => rulesIn(folder, config, sentence),
  };
};

/**
 * The model in a folder as transformers and sentence-transformers write it: config.json, safetensors, tokenizer.json. Whatever
 * disagrees is an importError; no weight is read before all of it has been checked.
 */
export const importFolder = async (
  folder: string,
  { head, name = basename(folder) }: ImportOptions,
): Promise<Model> => {
  folderFiles(folder);
  const config = readConfig(folder);
  const modules = readSentenceFolder(folder);
  const tokenizer = readFolderTokenizer(folder, tokenizerFacts(config), modules?.settings);
  const { json, tokens, maxLength } = tokenizer;
  const headless = head === 'new' || leavesHead(modules);
  if (!headless) checkClassifier(config, modules);
  const emitted = emitGraph(folder, config, headless);
  checkTypes(json, emitted);
  const sentence = readSentence(folder, modules);
  const longest = Math.min(config.plan.facts.maxLength, maxLength);
  const isNumber = emitted.task !== undefined && modelTask(emitted.task).answer === 'number';
  const activation = isNumber ? readActivation(folder, config, modules) : undefined;
  await tryTokenizer(tokenizer, config.plan.facts.vocabulary, longest);
  return {
    graph: emitted.graph,
    tokenizer: json,
    info: {
      ...infoOf({ folder, name }, config, emitted),
      processor: {
        tokens,
        ...(sentence === undefined ? {} : { sentence }),
        ...(activation === undefined ? {} : { activation }),
      },
      maxLength: longest,
      tokenizerConfig: tokenizerSettings(folder),
    },
  };
};
