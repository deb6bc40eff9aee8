import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { taskWith } from '../../../ground/tasks.ts';
import { checkAdapter } from '../../adapter.ts';
import { hiddenStatesFact } from '../../anatomy/hidden-states.ts';
import type { ModelFacts } from '../../facts.ts';
import type { ImagePlan } from '../../image-architectures/kind.ts';
import type { Model } from '../../model.ts';
import { tensorFiles } from '../../safetensors/folder.ts';
import { featuresPort, imageSignature, textPort } from '../../signature.ts';
import { configFile, unknownHead } from '../folder/config.ts';
import { emitFolder } from '../folder/emitting.ts';
import { originOf, readme } from '../folder/tensors.ts';
import type { ImportOptions } from '../importer.ts';
import { type ImageConfig, readImageConfig } from './config.ts';
import { processorFile, readProcessor } from './processor.ts';

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
  throw unknownHead(savedFrom);
};

const emitted = (folder: string, config: ImageConfig, options: Pick<ImportOptions, 'head'>) => {
  const head = headOf(config, options);
  return { ...emitFolder(folder, config, { head, headless: head === undefined }), classifies: head !== undefined };
};

const taskOf = (classifies: boolean) => (classifies ? taskWith('image', 'choice') : taskWith('text', 'vector'));

const sizesOf = ({ facts: { hidden, layers, heads, ffn, patch } }: ImagePlan) => ({
  ...{ hidden, layers, heads, ffn },
  patch: patch[0],
});

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
      origin: originOf(folder, name, config.modelType),
    },
  };
};
