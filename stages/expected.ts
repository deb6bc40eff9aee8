import type { Device } from '../engine/engines/kind.ts';
import type { DatasetTask } from '../ground/tasks.ts';
import type { ModelFacts } from '../models/facts.ts';

/** What is known of a model before anything runs; what is left out is not known. */
export interface Expected extends ModelFacts {
  /** Whether its weights are 8-bit integers. */
  readonly quantized?: boolean;
}

/** What a quick look at the data shows. */
export interface DataFacts {
  readonly task: DatasetTask;
  readonly maxLength: number;
  readonly classes: readonly string[];
  /** Whether these are all classes, not those of the first rows alone. */
  readonly whole: boolean;
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
