import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { GraphBuilder } from '../../../graph/builder.ts';
import { taskWith } from '../../../ground/tasks.ts';
import { checkAdapter } from '../../adapter.ts';
import { hiddenStatesFact } from '../../anatomy/hidden-states.ts';
import type { Emission } from '../../blocks.ts';
import type { ModelFacts } from '../../facts.ts';
import type { ImagePlan } from '../../image-architectures/kind.ts';
import type { Model } from '../../model.ts';
import { readFolderTensors, tensorFiles } from '../../safetensors/folder.ts';
import { featuresPort, imageSignature, textPort } from '../../signature.ts';
import { checkpointOf, unwrapped } from '../folder/checkpoint.ts';
import { configFile } from '../folder/config.ts';
import { checkUnread, licenceOf, prefixOf } from '../folder/tensors.ts';
import { type ImportOptions, importError } from '../importer.ts';
import { type ImageConfig, readImageConfig } from './config.ts';
import { processorFile, readProcessor } from './processor.ts';

const readme = 'README.md';
const takesEncoder = "'head: new' takes the encoder without it";

/** Paths of the files of a folder that an import reads, in a fixed order. */
export const imageFolderFiles = (folder: string): readonly string[] => {
  checkAdapter(folder);
  const optional = [processorFile, readme].filter((file) => existsSync(join(folder, file)));
  return [configFile, ...tensorFiles(folder), ...optional].map((file) => join(folder, file));
};

/** The head that the checkpoint is imported with; undefined where it has none, or is taken without. */
const headOf = ({ plan, savedFrom }: ImageConfig, { head }: Pick<ImportOptions, 'head'>) => {
  if (head === 'new') return undefined;
  const found = plan.heads.find((one) => one.savedFrom.test(savedFrom));
  if (found !== undefined || !/For[A-Z]\w*$/.test(savedFrom)) return found;
  throw importError(`${configFile}: the model is a ${savedFrom}, a head that decant does not know; ${takesEncoder}`);
};

const emitted = (folder: string, config: ImageConfig, options: Pick<ImportOptions, 'head'>) => {
  const { architecture, plan, labels, savedFrom } = config;
  const head = headOf(config, options);
  const tensors = unwrapped(readFolderTensors(folder));
  const checkpoint = checkpointOf(tensors);
  const builder = new GraphBuilder(config.modelType);
  const prefix = prefixOf(architecture, tensors);
  const { epsilon } = plan.facts;
  const emission: Emission = { builder, parameters: checkpoint.parameters, prefix, epsilon };
  const values = plan.emit(emission);
  if (head !== undefined && !tensors.has(head.marker)) {
    throw importError(
      `${configFile}: the model is a ${savedFrom}, but the safetensors have no '${head.marker}'; ${takesEncoder}`,
    );
  }
  const output = head === undefined ? values.features : head.emit(emission, values, labels.length);
  checkUnread(checkpoint.unread(), config, { prefix, headless: head === undefined });
  checkpoint.expectFinite();
  return { graph: builder.freeze([output]), values, output, classifies: head !== undefined };
};

const taskOf = (classifies: boolean) => (classifies ? taskWith('image', 'choice') : taskWith('text', 'vector'));

const sizesOf = ({ facts: { hidden, layers, heads, ffn } }: ImagePlan) => ({ hidden, layers, heads, ffn });

/** What the files beside the weights say. */
export const imageFolderFacts = (folder: string, options: Pick<ImportOptions, 'head'>): ModelFacts => {
  const config = readImageConfig(folder);
  readProcessor(folder, config.plan.facts);
  const classifies = headOf(config, options) !== undefined;
  return {
    ...{ task: taskOf(classifies), labels: classifies ? config.labels : [] },
    ...{ modelType: config.modelType, maxLength: 1, sizes: sizesOf(config.plan) },
  };
};

/** A model of images in a folder as transformers writes it: config.json, safetensors, preprocessor_config.json. */
export const importImageFolder = (folder: string, options: ImportOptions): Model => {
  const { name = basename(folder) } = options;
  const config = readImageConfig(folder);
  const { facts } = config.plan;
  const pixels = readProcessor(folder, facts);
  const { graph, values, output, classifies } = emitted(folder, config, options);
  const licence = licenceOf(folder);
  const [patch] = facts.patch;
  return {
    graph,
    info: {
      ...{ schema: 'decant.model/2', task: taskOf(classifies), labels: classifies ? config.labels : [], maxLength: 1 },
      signature: imageSignature(values.pixels, classifies ? textPort(output) : featuresPort(output)),
      ...hiddenStatesFact(graph, values.hiddenStates),
      processor: { pixels },
      modelType: config.modelType,
      checkpoint: config.json,
      checkpointNumbers: config.numbers,
      dimensions: { ...sizesOf(config.plan), patch },
      origin: `${name} (Hugging Face, ${config.modelType}${licence === undefined ? '' : `, ${licence}`})`,
    },
  };
};
