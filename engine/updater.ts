import type { Batch } from '../data/batches.ts';
import type { Graph } from '../graph/graph.ts';
import type { Encoded } from './encoded.ts';
import type { Feeds, Program } from './engine.ts';
import type { LossScale } from './loss-scale.ts';
import type { TrainingStep } from './step.ts';
import type { UpdateSize } from './step-batch.ts';
import type { WeightArrays } from './train-request.ts';
import type { Trained } from './training-state.ts';

/** What the batches of an update come to. */
export interface Outcome {
  readonly loss: number;
  /** Each loss by its name. */
  readonly terms: Readonly<Record<string, number>>;
  /** Norm of the gradient of all parameters. */
  readonly norm: number;
}

export const isFiniteOutcome = ({ loss, norm }: Outcome): boolean => Number.isFinite(loss) && Number.isFinite(norm);

/** Seconds of all updates so far, by what they went to. */
export interface TimeSpent {
  /** Forward and backward pass; and all of the update where it is a part of that graph. */
  readonly graph: number;
  /** Clipping and AdamW. */
  readonly optimizer: number;
  /** Making batches and dropout masks. */
  readonly feeds: number;
}

/** Weights of now, or those that training began with. */
export type Since = 'now' | 'start';

/** A program that answers with the weights under training. */
export interface Evaluation {
  run(feeds: Feeds, since: Since): Promise<Feeds>;
  /** What these weights are, in host memory. */
  weights(since: Since): Promise<Feeds>;
}

/** Looks at the gradients of an update, and at the weights that they were taken at, before these move. */
export type See = (weights: WeightArrays, gradients: WeightArrays) => void;

/** What of training: everything with its moments, all weights, or those of these names. */
export type Portion = 'everything' | 'weights' | readonly string[];

/** Owns the weights under training and the compiled step, and makes one update after another. */
export interface Updater {
  /** Weights and moments in host memory: what they are where they live there, else what was read last. */
  readonly trained: readonly Trained[];
  readonly spent: TimeSpent;
  /** What is compiled. */
  readonly step: TrainingStep | undefined;
  rate(step: number): number;
  /**
   * Compiles the phase that an update (0-based) belongs to, where it is another one than before. Parameters that both
   * phases have keep their values and moments.
   */
  enter(step: number): Promise<void>;
  /** Takes other examples in the place of some, by their rows, until the next call. */
  replace(others: ReadonlyMap<number, Encoded>): void;
  /**
   * One update (0-based): gradients of its batches, those in float16 at this scale; clipping, AdamW. Numbers that are none move
   * no weight, and are not seen.
   */
  update(step: number, scale?: LossScale, see?: See): Promise<{ readonly outcome: Outcome; readonly size: UpdateSize }>;
  /**
   * What one batch of an update comes to in float32, with the weights of now or those that training began with. Nothing is
   * moved.
   */
  replay(step: number, batch: readonly [number, Batch], since: Since): Promise<Outcome>;
  /** Brings `trained` up to date. */
  read(what: Portion): Promise<void>;
  /** Goes on with what was written into `trained`. */
  write(what: Portion): Promise<void>;
  /** From now on what is 0 among the weights that a hook holds is held at 0. */
  hold(): Promise<void>;
  /** A program, of a graph that takes weights as inputs, over the weights of now; until the next phase is entered. */
  evaluation(graph: Graph, program: Program): Promise<Evaluation>;
  /** Gives back what only updates need. */
  settle(): Promise<void>;
  release(): Promise<void>;
}
