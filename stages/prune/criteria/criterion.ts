import type { Encoded } from '../../../engine/encoded.ts';
import type { Loss } from '../../../engine/losses/index.ts';
import type { Task } from '../../../engine/tasks/index.ts';
import type { Graph } from '../../../graph/graph.ts';
import type { Layer, Part } from '../../../models/anatomy.ts';
import type { Model } from '../../../models/model.ts';
import type { Batch } from '../examples.ts';

/** What a criterion may look at. */
export interface Subject {
  /** What is left of the model so far. */
  readonly graph: Graph;
  /** What it was, with how it is fed and read. */
  readonly model: Model;
  /** What the data asks of it, and the losses by which it is told how well it does; nothing where no texts are read. */
  readonly asked: { readonly task: Task; readonly losses: readonly Loss[] } | undefined;
  /** Labelled training texts; read only by criteria that need them. */
  readonly batches: () => Promise<readonly Batch[]>;
  /** The same texts one by one. */
  readonly examples: () => Promise<readonly Encoded[]>;
  readonly seed: number;
  readonly threads: number;
  readonly signal: AbortSignal;
  progress(done: number, total: number): void;
}

/** How much each unit matters: what scores least is cut first. No layer kinds inside, only parts and their coupled weights. */
export interface Criterion {
  readonly name: 'taylor' | 'magnitude' | 'random';
  readonly summary: string;
  /** True where labelled texts are run through the model. */
  readonly needsExamples: boolean;
  /** One score a unit, by part. */
  scoreParts(subject: Subject, parts: readonly Part[]): Promise<ReadonlyMap<Part, Float64Array>>;
  /** One score a layer. */
  scoreLayers(subject: Subject, layers: readonly Layer[]): Promise<Float64Array>;
}
