import type { Graph } from '../../../graph/graph.ts';
import type { Layer, Part } from '../../../models/anatomy.ts';
import type { Batch } from '../examples.ts';

/** What a criterion may look at. */
export interface Subject {
  readonly graph: Graph;
  /** The graph's output with class scores, and its inputs by role. */
  readonly logits: string;
  readonly inputs: { readonly ids: string; readonly mask: string };
  /** Labelled training texts; read only by criteria that need them. */
  readonly batches: () => Promise<readonly Batch[]>;
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
