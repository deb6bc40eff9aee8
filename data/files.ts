import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { z } from 'zod';
import { UserError } from '../ground/errors.ts';
import { type DatasetTask, datasetTasks } from '../ground/tasks.ts';
import type { Dataset, Example } from './dataset.ts';
import {
  type ImageFile,
  type PixelShape,
  pixelFile,
  pixelShape,
  readImages,
  shapeOfImages,
  writeImages,
} from './image-files.ts';
import { damagedRecord, parsedRecord, readRecord } from './record-files.ts';
import { targetKindOf } from './targets/index.ts';

const splits = ['train', 'unlabelled', 'validation', 'test'] as const;
type Split = (typeof splits)[number];

interface Header {
  readonly schema: 'decant.dataset/2';
  readonly task: DatasetTask;
  readonly classes: readonly string[];
  readonly maxLength: number;
  readonly counts: Readonly<Record<Split, number>>;
  /** The size of its images, where it has such. */
  readonly pixels?: PixelShape;
}

const LINES_A_WRITE = 4096;

/** One line of a split: the target stands under the name that it has for the task. */
const lineOf = (task: DatasetTask, { target, pixels: _, ...text }: Example): string =>
  `${JSON.stringify(target === undefined ? text : { ...text, [targetKindOf(task).key]: target })}\n`;

const lineSchema = z.looseObject({ id: z.number(), text: z.string() });

const exampleOf = ({ task, file }: SplitFile, line: string): Example => {
  const value = lineSchema.safeParse(parsedRecord(file, line));
  if (!value.success) throw damagedRecord(file, `a line is no example: ${line.slice(0, 80)}`);
  const { [targetKindOf(task).key]: target, ...text } = JSON.parse(line);
  return target === undefined ? text : { ...text, target };
};

const writeExamples = async (file: string, task: DatasetTask, examples: readonly Example[]): Promise<void> => {
  const stream = createWriteStream(file);
  const done = finished(stream);
  for (let at = 0; at < examples.length; at += LINES_A_WRITE) {
    const lines = examples.slice(at, at + LINES_A_WRITE).map((example) => lineOf(task, example));
    if (!stream.write(lines.join(''))) await Promise.race([once(stream, 'drain'), done]);
  }
  stream.end();
  await done;
};

/** One split: where it lies, what its examples are for, and how many it holds. */
interface SplitFile {
  readonly file: string;
  readonly task: DatasetTask;
  readonly expected: number;
  /** Where its images lie. */
  readonly images?: ImageFile;
}

const splitFile = (path: (file: string) => string, split: Split, { task, counts, pixels }: Header): SplitFile => ({
  ...{ file: path(`${split}.jsonl`), task, expected: counts[split] },
  ...(pixels === undefined ? {} : { images: { file: path(pixelFile(split)), shape: pixels } }),
});

/** The lines of a split, an example each; fewer or more than were announced are an error. */
async function* linesOf({ file, expected }: SplitFile): AsyncGenerator<string> {
  let found = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line === '') continue;
    found++;
    yield line;
  }
  if (found !== expected) throw new UserError(`${file} holds ${found} examples, dataset.json announces ${expected}`);
}

async function* examplesOf(split: SplitFile): AsyncGenerator<Example> {
  const seen = await imagesOf(split);
  let place = 0;
  for await (const line of linesOf(split)) yield { ...exampleOf(split, line), ...seen(place++) };
}

type Seen = (place: number) => Pick<Example, 'pixels'>;

const nothingSeen: Seen = () => ({});

const imagesOf = async ({ images, expected }: SplitFile): Promise<Seen> => {
  if (images === undefined) return nothingSeen;
  const imageAt = await readImages(images, expected);
  return (place) => ({ pixels: imageAt(place) });
};

const readExamples = async (split: SplitFile): Promise<Example[]> => {
  const examples: Example[] = [];
  for await (const example of examplesOf(split)) examples.push(example);
  return examples;
};

/** The examples at some places of a split, in the order of the places. */
const pickExamples = async (split: SplitFile, places: Int32Array): Promise<readonly Example[]> => {
  const wanted = new Map(Array.from(places, (place, i) => [place, i] as const));
  const picked: Example[] = [];
  const seen = await imagesOf(split);
  let place = 0;
  for await (const line of linesOf(split)) {
    const at = wanted.get(place);
    if (at !== undefined) picked[at] = { ...exampleOf(split, line), ...seen(place) };
    place++;
  }
  return picked;
};

const complete = (file: string, task: DatasetTask, examples: readonly Example[]): readonly Example[] => {
  const { noun, fits } = targetKindOf(task);
  const lacking = examples.find(({ target }) => !fits(target));
  if (lacking !== undefined) throw new UserError(`${file}: example ${lacking.id} lacks ${noun}`);
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
  const pixels = shapeOfImages(splits.flatMap((split) => dataset[split]));
  const seen = pixels === undefined ? {} : { pixels };
  const header: Header = { schema: 'decant.dataset/2', task, classes, maxLength, counts, ...seen };
  await writeFile(join(folder, 'dataset.json'), `${JSON.stringify(header, null, 2)}\n`);
  for (const split of splits) {
    await writeExamples(join(folder, `${split}.jsonl`), task, dataset[split]);
    if (pixels !== undefined) await writeImages(join(folder, pixelFile(split)), dataset[split]);
  }
};

const headerSchema = z.object({
  schema: z.literal('decant.dataset/2'),
  task: z.enum(datasetTasks),
  classes: z.array(z.string()),
  maxLength: z.int().positive(),
  counts: z.object({
    train: z.int().nonnegative(),
    unlabelled: z.int().nonnegative(),
    validation: z.int().nonnegative(),
    test: z.int().nonnegative(),
  }),
  pixels: pixelShape.exactOptional(),
});

const readHeader = (path: (file: string) => string): Promise<Header> =>
  readRecord<Header>(path('dataset.json'), {
    schema: headerSchema,
    version: 'decant.dataset/2',
    other: 'another version of decant wrote it; run the pipeline again',
  });

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
  const header = await readHeader(path);
  const { task, classes, maxLength, counts } = header;
  const train = splitFile(path, 'train', header);
  const unlabelled = splitFile(path, 'unlabelled', header);
  return {
    task,
    classes,
    maxLength,
    labelled: counts.train,
    pick: async (places) => complete('train.jsonl', task, await pickExamples(train, places)),
    all: async function* () {
      yield* examplesOf(train);
      yield* examplesOf(unlabelled);
    },
  };
};

/** Reads what `writeDataset` wrote; `path` maps a file name to where it lies. */
export const readDatasetArtifact = async (path: (file: string) => string): Promise<Dataset> => {
  const header = await readHeader(path);
  const { task, classes, maxLength } = header;
  const read = (split: Split): Promise<Example[]> => readExamples(splitFile(path, split, header));
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

/** The validation texts of what `writeDataset` wrote, as the test split of a dataset of nothing else: for stages that judge by them. */
export const readValidationTexts = async (path: (file: string) => string): Promise<Dataset> => {
  const header = await readHeader(path);
  const { task, classes, maxLength } = header;
  const read = await readExamples(splitFile(path, 'validation', header));
  const test = complete('validation.jsonl', task, read);
  return { task, classes, maxLength, train: [], unlabelled: [], validation: [], test };
};

/** Reads a dataset from the folder that holds its dataset.json. */
export const readDataset = (folder: string): Promise<Dataset> => readDatasetArtifact((file) => join(folder, file));
