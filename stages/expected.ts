import type { Dataset } from '../data/dataset.ts';
import type { TokenizerJson } from '../data/tokenizer.ts';
import type { Device } from '../engine/engines/kind.ts';
import type { DatasetTask } from '../ground/tasks.ts';
import type { ModelFacts } from '../models/facts.ts';
import type { Precision } from '../models/precision.ts';

/** What is known of a model before anything runs; what is left out is not known. */
export interface Expected extends ModelFacts {
  /** What its weights are stored in, where that is not float32. */
  readonly stored?: Precision;
  /** Width of each attention head, where that is not the width of the model over its heads. */
  readonly headWidth?: number;
  /** The kind of attention that all of its layers have, where that is not full attention. */
  readonly attention?: string;
  /** The tokenizer that it came with: where from, and what reads it. Not known of tokens that were learnt or cut. */
  readonly tokens?: { readonly from: string; read(): Promise<TokenizerJson> };
}

/** What a quick look at the data shows. */
export interface DataFacts {
  readonly task: DatasetTask;
  readonly maxLength: number;
  readonly classes: readonly string[];
  /** Whether these are all classes, not those of the first rows alone. */
  readonly whole: boolean;
}

/** How many texts there are of each kind. */
export interface TextCounts {
  readonly train: number;
  readonly unlabelled: number;
  readonly validation: number;
  readonly test: number;
}

/** Some of the texts that a run would read. */
export interface SampledTexts {
  /** Data with a few training texts alone. */
  readonly dataset: Dataset;
  readonly base: string;
}

/** How much a step has to do, where its time grows with that: texts of each kind of work. */
export interface Effort {
  /** Texts that a model is trained on. */
  readonly trained?: number;
  /** Texts that each model is asked, many at once. */
  readonly asked?: number;
  /** Texts that each model is asked one by one. */
  readonly alone?: number;
  /** Texts that are read without a model. */
  readonly read?: number;
  /** Times that the files of each model are compressed. */
  readonly compressed?: number;
  /** Seconds that it takes whatever the texts and the models. */
  readonly seconds?: number;
}

/** What a step can be told of before anything runs. */
export interface Outlook {
  /** Models by the name of the input that they come in by. */
  readonly models: Readonly<Record<string, Expected | undefined>>;
  /** The pipeline's data; undefined where nothing is known of them. */
  readonly data: DataFacts | undefined;
  /** What its graphs will run on, or that this is chosen by trying; left out where nothing is known of it. */
  readonly engine?: { readonly name: string; readonly device: Device } | 'chosen' | undefined;
  /** Folder of the YAML file. */
  readonly base: string;
}

/** A problem that a run would meet, by the path inside of the configuration. */
export interface Foreboding {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly code?: string;
}

/** What a step will come to, as far as it can be known. */
export interface Foreseen {
  /** The model that it makes. */
  readonly model?: Expected | undefined;
  readonly problems?: readonly Foreboding[];
  /** What is no mistake, yet worth a look. */
  readonly remarks?: readonly string[];
}
