import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { activationNames } from '../../activation.ts';
import type { Processor } from '../../model.ts';
import { importError } from '../importer.ts';
import { type JsonObject, readJsonObject } from '../json-file.ts';
import { configFile, type FolderConfig } from './config.ts';
import { promptFile, type SentenceFolder } from './sentence.ts';

const hubKey = 'sentence_transformers';
const formerKey = 'sbert_ce_default_activation_function';

interface Said {
  readonly file: string;
  readonly key: string;
  readonly name: unknown;
}

const ofObject = (value: unknown): JsonObject => Object(value);

/** What is said of the number, in the order in which sentence-transformers look. */
const saidIn = (folder: string, { json }: FolderConfig, sentence: SentenceFolder | undefined): Said | undefined => {
  const prompt = join(folder, promptFile);
  const own = sentence !== undefined && existsSync(prompt) ? readJsonObject(prompt) : {};
  const all: readonly Said[] = [
    { file: promptFile, key: 'activation_fn', name: own.activation_fn },
    { file: configFile, key: `${hubKey}.activation_fn`, name: ofObject(json[hubKey]).activation_fn },
    { file: configFile, key: formerKey, name: json[formerKey] },
  ];
  return all.find(({ name }) => name != null);
};

const kindOf = ({ file, key, name }: Said): Processor['activation'] => {
  if (name === activationNames.sigmoid) return 'sigmoid';
  if (name === activationNames.none) return undefined;
  throw importError(
    `${file}: ${key} is ${JSON.stringify(name)}, which decant does not put behind a number; expected ` +
      `${activationNames.none} or ${activationNames.sigmoid}`,
  );
};

/**
 * What is done to the one number of a checkpoint. Where nothing is said, sentence-transformers put a Sigmoid behind it, and so
 * does the pipeline of transformers unless config.json calls it a regression.
 */
export const readActivation = (
  folder: string,
  config: FolderConfig,
  sentence: SentenceFolder | undefined,
): Processor['activation'] => {
  const said = saidIn(folder, config, sentence);
  if (said !== undefined) return kindOf(said);
  const isPlain = config.problem !== undefined && sentence?.classifies !== true && config.json[hubKey] == null;
  return isPlain ? undefined : 'sigmoid';
};
