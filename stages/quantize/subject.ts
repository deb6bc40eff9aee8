import type { Encoded } from '../../engine/encoded.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import type { Watching } from '../../engine/observe/index.ts';
import type { Graph } from '../../graph/graph.ts';
import type { QuantizeOptions } from '../../graph/quantize/choose.ts';
import { counting } from '../../ground/progress.ts';
import type { Model } from '../../models/model.ts';
import type { Texts } from './calibration.ts';
import type { Config } from './config.ts';
import type { Train } from './recover.ts';

/** How far a step has come, and when to stop it. */
export interface QuantizeContext {
  readonly threads: number;
  readonly signal: AbortSignal;
  onProgress(progress: {
    readonly done: number;
    readonly total: number;
    readonly unit: string;
    readonly phase: string;
  }): void;
}

/** What quantization works with: a model, what is asked, and texts where activations are to be seen. */
export interface Subject {
  readonly model: Model;
  readonly config: Config;
  readonly options: QuantizeOptions;
  readonly examples: readonly Encoded[] | undefined;
  /** Other texts, to judge by. */
  readonly judged: readonly Encoded[];
  readonly held: Texts['held'];
  readonly context: QuantizeContext;
  /** How weights are trained as they will be stored, where they are. */
  readonly train?: Train | undefined;
}

export const watchingOf = (graph: Graph, { model, context }: Subject): Watching => ({
  ...{ graph, info: model.info, engine: cpuEngine },
  ...{ threads: context.threads, signal: context.signal },
});

export const reading = (context: QuantizeContext) => counting(context.onProgress, 'texts', 'looking at activations');
