import { z } from 'zod';
import type { DatasetTask } from '../../ground/tasks.ts';
import type { Dataset } from '../dataset.ts';
import type { DataProblem } from '../errors.ts';
import type { LocatedCandidate } from './parts.ts';

/** A dataset with what was left out on the way to it. */
export interface Loaded {
  readonly dataset: Dataset;
  /** Texts that occurred again, and those of them whose label disagreed with the first one's. The first counts. */
  readonly duplicates: number;
  readonly contradictions: number;
  /** Rows that were left out because their text or label is missing, as the user asked. */
  readonly dropped: number;
  /** What the user should know of the splits and the classes. */
  readonly remarks: readonly string[];
}

/** Every text of one file in its order, with its target as the file has it. */
export interface Whole {
  readonly texts: readonly LocatedCandidate[];
  readonly dropped: number;
}

/** What shows before anything runs. */
export interface Look {
  /** All that it names are classes; those of the first rows alone unless it is `whole`. */
  readonly classes: readonly string[];
  readonly whole: boolean;
  readonly remarks: readonly string[];
}

/** What the options alone say, beside what shows. */
export interface Outlook extends Look {
  readonly task: DatasetTask;
  readonly maxLength: number;
}

/** One kind of dataset: typed options, and a function from options to texts. */
export interface DatasetKind<S extends z.ZodObject> {
  readonly uses: string;
  readonly summary: string;
  readonly config: S;
  task(config: z.output<S>): DatasetTask;
  /** Absolute paths of the files that the dataset is made from. */
  sources(config: z.output<S>, base: string): Promise<readonly string[]>;
  /** What can be seen to be wrong without reading everything: absent files, absent columns. */
  check(config: z.output<S>, base: string): Promise<readonly DataProblem[]>;
  /** A quick look at data in which `check` found no problem. */
  look?(config: z.output<S>, base: string): Promise<Look>;
  /** Throws a dataError where the data are wrong. */
  load(config: z.output<S>, base: string): Promise<Loaded>;
  /** All texts of its one file, equal ones too: for whoever judges models by them and splits nothing off. */
  whole?(config: z.output<S>, base: string): Promise<Whole>;
}

/** A dataset whose option type is hidden, as lists hold it: options are parsed by its own schema first. */
export interface AnyDataset extends Pick<DatasetKind<z.ZodObject>, 'uses' | 'summary' | 'config'> {
  task(config: unknown): DatasetTask;
  sources(config: unknown, base: string): Promise<readonly string[]>;
  check(config: unknown, base: string): Promise<readonly DataProblem[]>;
  look(config: unknown, base: string): Promise<Outlook>;
  load(config: unknown, base: string): Promise<Loaded>;
  whole(config: unknown, base: string): Promise<Whole>;
}

/** Where examples are no sequences. */
export const NO_LENGTH = 1;

const lengthIn = (config: Readonly<Record<string, unknown>>): number =>
  typeof config.maxLength === 'number' ? config.maxLength : NO_LENGTH;

/** Hides the option type of a dataset behind its own schema, so that datasets of all kinds fit one list. */
export const defineDataset = <S extends z.ZodObject>(kind: DatasetKind<S>): AnyDataset => ({
  ...kind,
  task: (config) => kind.task(kind.config.parse(config)),
  sources: (config, base) => kind.sources(kind.config.parse(config), base),
  check: (config, base) => kind.check(kind.config.parse(config), base),
  look: async (given, base) => {
    const config = kind.config.parse(given);
    const seen = (await kind.look?.(config, base)) ?? { classes: [], whole: false, remarks: [] };
    return { ...seen, task: kind.task(config), maxLength: lengthIn(config) };
  },
  load: (config, base) => kind.load(kind.config.parse(config), base),
  whole: (config, base) => {
    if (kind.whole === undefined) throw new Error(`${kind.uses} has no file of its own`);
    return kind.whole(kind.config.parse(config), base);
  },
});

/** Options that every dataset takes. */
export const sharedOptions = {
  labelled: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Use only this many training labels; the other training texts become unlabelled. With limit, at most half of the training texts keep theirs.',
    ),
  limit: z
    .int()
    .min(100)
    .optional()
    .describe('Use only this many texts over all splits, in proportion: for a first look.'),
};

/** Longest text in tokens; longer ones are cut. */
export const maxLengthOption = (length: number) =>
  z.int().min(4).max(8192).default(length).describe('Texts are cut to this many tokens, special tokens included.');
