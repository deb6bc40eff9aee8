import { z } from 'zod';
import type { DatasetTask } from '../../ground/tasks.ts';
import type { DataProblem } from '../errors.ts';
import { brownTags, brownTexts } from './brown.ts';
import { cmudict } from './cmudict.ts';
import { conll } from './conll.ts';
import { csv } from './csv.ts';
import { documents } from './documents.ts';
import { folder } from './folder.ts';
import { jsonl } from './jsonl.ts';
import type { AnyDataset, Loaded, Outlook, Whole } from './kind.ts';
import { mnist } from './mnist.ts';
import { parquet } from './parquet.ts';
import { spamAssassin } from './spam.ts';
import { wordnetSupersense } from './wordnet.ts';
import { wordnetFrames } from './wordnet-frames.ts';
import { wordnetSimilarity } from './wordnet-similarity.ts';

/** Every kind of dataset, in the order in which help lists them. */
export const datasets: readonly [AnyDataset, ...AnyDataset[]] = [
  wordnetSupersense,
  wordnetFrames,
  wordnetSimilarity,
  spamAssassin,
  brownTags,
  brownTexts,
  documents,
  cmudict,
  csv,
  jsonl,
  parquet,
  folder,
  conll,
  mnist,
];

const [first, ...others] = datasets;

/** What `data:` may hold: one kind of dataset with its options. */
export const dataSchema = z.discriminatedUnion('uses', [first.config, ...others.map(({ config }) => config)]);

export type DataConfig = z.output<typeof dataSchema>;

const kindOf = (config: DataConfig): AnyDataset => {
  const kind = datasets.find(({ uses }) => uses === config.uses);
  if (kind === undefined) throw new Error(`no dataset is called '${String(config.uses)}'`);
  return kind;
};

/** What the texts are for. */
export const taskOfData = (config: DataConfig): DatasetTask => kindOf(config).task(config);

/** Absolute paths of the files that the dataset is made from; their contents belong to its cache key. */
export const sources = (config: DataConfig, base: string): Promise<readonly string[]> =>
  kindOf(config).sources(config, base);

/** What is wrong with the data as far as existence and headers show it, in well under half a second. */
export const check = (config: DataConfig, base: string): Promise<readonly DataProblem[]> =>
  kindOf(config).check(config, base);

/** Classes, and what is odd about the data, as far as a quick look shows them. */
export const look = (config: DataConfig, base: string): Promise<Outlook> => kindOf(config).look(config, base);

/** Reads and splits the texts; throws a dataError where they are wrong. */
export const load = (config: DataConfig, base: string): Promise<Loaded> => kindOf(config).load(config, base);

/** All texts of the file that `file` names, in their order; throws a dataError where they are wrong. */
export const whole = (config: DataConfig, base: string): Promise<Whole> => kindOf(config).whole(config, base);
