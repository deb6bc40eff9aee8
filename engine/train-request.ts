import type { Value } from '../graph/graph.ts';
import type { Checkpoints } from '../ground/checkpoints.ts';
import type { Watched } from '../ground/memory.ts';
import type { Progress } from '../ground/progress.ts';
import type { TrainingSummary } from '../ground/reported/training.ts';
import type { Model } from '../models/model.ts';
import type { Augmenter } from './augment/augmentation.ts';
import type { Engine } from './engine.ts';
import type { Faked } from './faked.ts';
import type { Gated } from './gated.ts';
import type { Written } from './generation/own-texts.ts';
import type { Loss } from './losses/loss.ts';
import type { Task } from './tasks/task.ts';
import type { TrainingExamples, TrainingOptions } from './training-options.ts';

/** A stretch of training with its own losses. */
export interface Phase {
  readonly losses: readonly Loss[];
  /** Share of all updates after which it ends; the last phase goes on to the end. */
  readonly until: number;
}

/** Arrays behind the trained weights of the model, by name. */
export type WeightArrays = ReadonlyMap<string, Float32Array>;

/** Arrays of a hook, by names of its own. */
export type HookState = Readonly<Record<string, Float32Array | Float64Array | Uint8Array>>;

/** Looks at gradients before they move weights, and writes nothing: what is not looked at costs nothing on a device. */
interface GradientWatch {
  /** Weights whose gradients are seen. */
  readonly sees: readonly string[];
  /** Whether it looks at an update (counted from 1). */
  wants(step: number, totalSteps: number): boolean;
  /** Gradients of the loss of the whole update, not clipped, and the weights that they were taken at. */
  see(step: number, weights: WeightArrays, gradients: WeightArrays): void;
}

/**
 * Watches the weights: pruning while a model trains is such a hook. Weights may live on a device: what a hook sees is read
 * from there, and what it may have written goes back, so it says what it needs.
 */
export interface WeightHook {
  /** Weights that it sees, those that only losses have among them where they are named; all of the model's where it does not say. */
  readonly sees?: readonly string[];
  /** All that it knows beside the weights: saved with every checkpoint, and filled from it before `start`. */
  readonly state?: HookState;
  readonly gradients?: GradientWatch;
  /** Weights whose zeros stay: what is 0 when training starts, and after each call, is held at 0 until the next. */
  readonly holds?: readonly string[];
  /** Before the first update, and again when a run resumes; `step` updates are done. */
  start?(step: number, totalSteps: number, weights: WeightArrays): void;
  /** Whether it is called after an update (counted from 1); after each where it does not say. */
  wants?(step: number, totalSteps: number): boolean;
  /** May write into the weights. */
  afterUpdate(step: number, totalSteps: number, weights: WeightArrays): void | Promise<void>;
}

export interface TrainRequest {
  readonly model: Model;
  /** What it is trained for. */
  readonly task: Task;
  readonly examples: TrainingExamples;
  /** Labelled texts that choose the best epoch; may be empty. */
  readonly validation: TrainingExamples;
  readonly options: TrainingOptions;
  readonly phases: readonly Phase[];
  readonly hook?: WeightHook | undefined;
  /** Weights that are seen as they will be stored. */
  readonly faked?: Faked | undefined;
  /** Values that go on masked, and how fast what masks are learnt by moves beside the learning rate. */
  readonly gates?: { readonly all: readonly Gated[]; readonly factors: ReadonlyMap<Value, number> } | undefined;
  /** What makes other texts of those that are trained on. Losses of theirs are in the phases as they are of such texts. */
  readonly augmenters?: readonly Augmenter[] | undefined;
  /** Texts that the model writes itself, in the place of those of the data. */
  readonly written?: Written | undefined;
  /** What became of the texts before training, for the report. */
  readonly prepared?: Pick<TrainingSummary, 'selected'> | undefined;
  readonly seed: number;
  readonly threads: number;
  /** Where it is trained; on the CPU where it is not said. */
  readonly engine?: Engine | undefined;
  /** What it may hold, where somebody watches that. */
  readonly memory?: Watched | undefined;
  readonly signal: AbortSignal;
  readonly checkpoints: Checkpoints;
  /** Start of the name of the file that gets the time of every node, for benchmarks. */
  readonly profilePrefix?: string | undefined;
  progress(progress: Progress): void;
}
