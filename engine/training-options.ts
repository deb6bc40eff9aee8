import type { Targets } from '../data/answer-targets.ts';
import type { Rows } from '../data/rows.ts';
import type { Encoded } from './encoded.ts';
import type { Precision } from './precision.ts';
import type { Schedule } from './schedule.ts';

/** Settings of a training run that do not depend on what is minimised. */
export interface TrainingOptions {
  /** Passes over the texts; the last may be a part of one. */
  readonly epochs: number;
  /** Ends training after so many updates, whatever `epochs` says. */
  readonly steps?: number | undefined;
  /** Texts of one pass. */
  readonly batch: number;
  /** Passes of an update, whose gradients add up to those of one pass over all of its texts. */
  readonly accumulate: number;
  readonly learningRate: number;
  /** Rate of what stands behind the last layer, where it starts from random weights on a trained encoder. */
  readonly headLearningRate: number;
  /** Parts that stand still: embeddings, layers.0, layers.1-3, head. */
  readonly freeze?: readonly string[] | undefined;
  /** Rate of each layer relative to the one above it. */
  readonly layerDecay?: number | undefined;
  readonly schedule: Schedule;
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Ratio of every Dropout node; left out, the model's own. */
  readonly dropout?: number | undefined;
  /** Share of tokens replaced by the unknown token. */
  readonly tokenDropout: number;
  /** What a step computes in: float32 where it is left out. Weights and moments are float32 in any case. */
  readonly precision?: Precision | undefined;
  /** Whether layers are computed once more in the backward pass, which then keeps little of them. */
  readonly recompute?: boolean | undefined;
  /** Largest global norm of the gradient. */
  readonly clip: number;
  /** Epochs without a better score on validation texts after which training ends; left out, it never ends early. */
  readonly patience?: number | undefined;
  /** Whether the weights of the best epoch or of the last one are kept. */
  readonly keep: 'best' | 'last';
  /** Validation texts read after each epoch. */
  readonly validationLimit: number;
}

/** Examples as training sees them. */
export interface TrainingExamples {
  readonly encoded: readonly Encoded[];
  /** What each answer (see engine/answers.ts) should be, as far as it is known. */
  readonly targets: Targets;
  /** What the teacher said, a row an answer, where there is one. */
  readonly teacher?: Rows | undefined;
  /** Names of the classes, where answers say something together. */
  readonly classes?: readonly string[];
  /** What a text is called in errors; by default its number. */
  called?(text: number): string;
}
