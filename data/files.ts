import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { UserError } from '../ground/errors.ts';
import { type DatasetTask, dataTask } from '../ground/tasks.ts';
import type { Dataset, Example } from './dataset.ts';

const splits = ['train', 'unlabelled', 'validation', 'test'] as const;
type Split = (typeof splits)[number];

interface Header {
  readonly schema: 'decant.dataset/2';
  readonly task: DatasetTask;
  readonly classes: readonly string[];
  readonly maxLength: number;
  readonly counts: Readonly<Record<Split, number>>;
}

const LINES_A_WRITE = 4096;

const writeExamples = async (file: string, examples: readonly Example[]): Promise<void> => {
  const stream = createWriteStream(file);
  const done = finished(stream);
  for (let at = 0; at < examples.length; at += LINES_A_WRITE) {
    const lines = examples.slice(at, at + LINES_A_WRITE).map((example) => `${JSON.stringify(example)}\n`);
    if (!stream.write(lines.join(''))) await Promise.race([once(stream, 'drain'), done]);
  }
  stream.end();
  await done;
};

/** The lines of a split, an example each; fewer or more than were announced are an error. */
async function* linesOf(file: string, expected: number): AsyncGenerator<string> {
  let found = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line === '') continue;
    found++;
    yield line;
  }
  if (found !== expected) throw new UserError(`${file} holds ${found} examples, dataset.json announces ${expected}`);
}

async function* examplesOf(file: string, expected: number): AsyncGenerator<Example> {
  for await (const line of linesOf(file, expected)) yield JSON.parse(line);
}

const readExamples = async (file: string, expected: number): Promise<Example[]> => {
  const examples: Example[] = [];
  for await (const example of examplesOf(file, expected)) examples.push(example);
  return examples;
};

/** The examples at some places of a split, in the order of the places. */
const pickExamples = async (file: string, expected: number, places: Int32Array): Promise<readonly Example[]> => {
  const wanted = new Map(Array.from(places, (place, i) => [place, i] as const));
  const picked: Example[] = [];
  let place = 0;
  for await (const line of linesOf(file, expected)) {
    const at = wanted.get(place++);
    if (at !== undefined) picked[at] = JSON.parse(line);
  }
  return picked;
};

/** What an example must have for its task, as messages call it. */
const needed = {
  label: ['a label', ({ label }: Example) => label !== undefined],
  tags: ['tags', ({ tags }: Example) => tags !== undefined],
  teacher: ['a text', ({ text }: Example) => text !== undefined],
} as const;

const complete = (file: string, task: DatasetTask, examples: readonly Example[]): readonly Example[] => {
  const [what, has] = needed[dataTask(task).truth];
  const lacking = examples.find((example) => !has(example));
  if (lacking !== undefined) throw new UserError(`${file}: example ${lacking.id} lacks ${what}`);
  return examples;
};

/** Writes dataset.json (classes, counts, length) with one JSON Lines file a split beside it. */
export const writeDataset = async (folder: string, dataset: Dataset): Promise<void> => {
  const { task, classes, maxLength, train, unlabelled, validation, test } = dataset;
  const counts = {
    train: train.length,
    unlabelled: unlabelled.length,
    validation: validation.length,
    test: test.length,
  };
  const header: Header = { schema: 'decant.dataset/2', task, classes, maxLength, counts };
  await writeFile(join(folder, 'dataset.json'), `${JSON.stringify(header, null, 2)}\n`);
  for (const split of splits) await writeExamples(join(folder, `${split}.jsonl`), dataset[split]);
};

const readHeader = async (path: (file: string) => string): Promise<Header> => {
  const header: Header = JSON.parse(await readFile(path('dataset.json'), 'utf8'));
  if (header.schema === 'decant.dataset/2') return header;
  throw new UserError(`dataset of schema '${header.schema}', expected 'decant.dataset/2'`);
};

/** What a dataset is for, without its texts: they take time and memory. */
export type DatasetFacts = Pick<Dataset, 'task' | 'classes' | 'maxLength'>;

/** Reads what a dataset is for; `path` maps a file name to where it lies. */
export const readDatasetFacts = async (path: (file: string) => string): Promise<DatasetFacts> => {
  const { task, classes, maxLength } = await readHeader(path);
  return { task, classes, maxLength };
};

/** Training texts that stay in their files: whoever needs some, or each of them once, holds no more than that. */
export interface TrainingTexts extends DatasetFacts {
  /** How many of them have what the task asks for: labels, tags. */
  readonly labelled: number;
  /** Those at some of the places from 0 to `labelled`, in the order of the places. */
  pick(places: Int32Array): Promise<readonly Example[]>;
  /** Every text, labelled or not. */
  all(): AsyncIterable<Example>;
}

/** The training texts of what `writeDataset` wrote; `path` maps a file name to where it lies. */
export const openTrainingTexts = async (path: (file: string) => string): Promise<TrainingTexts> => {
  const { task, classes, maxLength, counts } = await readHeader(path);
  const file = path('train.jsonl');
  return {
    task,
    classes,
    maxLength,
    labelled: counts.train,
    pick: async (places) => complete('train.jsonl', task, await pickExamples(file, counts.train, places)),
    all: async function* () {
      yield* examplesOf(file, counts.train);
      yield* examplesOf(path('unlabelled.jsonl'), counts.unlabelled);
    },
  };
};

/** Reads what `writeDataset` wrote; `path` maps a file name to where it lies. */
export const readDatasetArtifact = async (path: (file: string) => string): Promise<Dataset> => {
  const { task, classes, maxLength, counts } = await readHeader(path);
  const read = (split: Split): Promise<Example[]> => readExamples(path(`${split}.jsonl`), counts[split]);
  const labelled = async (split: Split) => complete(`${split}.jsonl`, task, await read(split));
  return {
    task,
    classes,
    maxLength,
    train: await labelled('train'),
    unlabelled: await read('unlabelled'),
    validation: await labelled('validation'),
    test: await labelled('test'),
  };
};

/** Reads a dataset from the folder that holds its dataset.json. */
export const readDataset = (folder: string): Promise<Dataset> => readDatasetArtifact((file) => join(folder, file));
