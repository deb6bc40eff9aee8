import type { TaskName } from '../../../ground/tasks.ts';
import type { Rates, Work } from '../../../models/inspection.ts';
import type { FileOptions } from './models.ts';

export interface EstimateOptions extends FileOptions {
  /** Texts or images at once, and tokens of each text; 1, and 128 or as many as the model takes, where nobody says. */
  readonly batch?: number;
  readonly length?: number;
  /** New tokens that a decoder writes behind a text of so many. */
  readonly tokens?: number;
  /** Threads of one operator; 1 where nobody says. */
  readonly threads?: number;
  /** Whether the model is run beside the machine's rates; true where nobody says. */
  readonly measure?: boolean;
  /** Whether it is trained for some updates, too. */
  readonly train?: boolean;
  readonly signal?: AbortSignal;
}

/** A figure by formula, what was measured or counted, and that over the formula's; null where nothing was. */
export interface EstimatedFigure {
  readonly estimated: number;
  readonly measured: number | null;
  readonly ratio: number | null;
}

/** What one update takes. */
export interface EstimatedTraining {
  /** Floating-point operations by formula, and by the operators of the step. */
  readonly flops: EstimatedFigure;
  /** Bytes of gradients, and of the two moments of AdamW. */
  readonly gradients: number;
  readonly optimizer: number;
  /** Bytes of activations and their gradients that are alive at once; null where decant cannot train the model. */
  readonly activations: number | null;
  /** The same where layers are computed once more (`recompute: true`); null where the model has no layers. */
  readonly recomputed: number | null;
  readonly bytes: EstimatedFigure | null;
  readonly milliseconds: EstimatedFigure | null;
}

/** What a decoder takes for new tokens behind a text of so many. */
export interface EstimatedTokens {
  /** Bytes that are remembered of one token by formula, and of all texts; beside what the model's inputs hold then. */
  readonly cacheOfToken: number;
  readonly cache: EstimatedFigure;
  /** Milliseconds of one new token of each text. */
  readonly milliseconds: EstimatedFigure | null;
  /** Seconds of all new tokens that were asked for. */
  readonly seconds: number | null;
}

/** What a model takes by formula, beside what was measured on this machine. */
export interface Estimate {
  /** As it was named. */
  readonly model: string;
  readonly task?: TaskName;
  readonly batch: number;
  readonly length: number;
  readonly threads: number;
  readonly parameters: number;
  /** Bytes of all weights. */
  readonly weights: number;
  readonly work: Work;
  /** Floating-point operations of a pass by formula, and by its operators. */
  readonly flops: EstimatedFigure;
  /** What this machine does in a second; null where nothing was measured. */
  readonly rates: Rates | null;
  readonly milliseconds: EstimatedFigure | null;
  /** Memory of a process that runs one pass, beyond the bare runtime's. */
  readonly bytes: EstimatedFigure;
  readonly training: EstimatedTraining;
  /** Of decoders. */
  readonly newTokens: EstimatedTokens | null;
  /** Why something was not estimated or not measured. */
  readonly notes: readonly string[];
}
