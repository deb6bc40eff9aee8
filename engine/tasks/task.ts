import type { Example } from '../../data/dataset.ts';
import type { EncodedText, TextEncoder, TextInput } from '../../data/tokenize.ts';
import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/graph.ts';
import type { DatasetTask } from '../../ground/tasks.ts';
import type { Model, ModelInfo } from '../../models/model.ts';
import type { Loss } from '../losses/index.ts';
import type { TrainingExamples } from '../training-options.ts';

/** How good one answer is: its part of the task's primary metric, and its loss. */
export interface Judgement {
  readonly score: number;
  readonly loss: number;
  /** Where the metric is no mean: what it reads of this answer, by column. */
  readonly columns?: Readonly<Record<string, readonly number[]>>;
}

/** What models are for: everything that tells a classifier of texts from a tagger of words or a maker of vectors. */
export interface Task {
  readonly name: DatasetTask;
  /** What there is one answer about. */
  readonly unit: 'texts' | 'words';
  encode(
    encoder: TextEncoder,
    texts: readonly TextInput[],
    maxLength: number,
    signal?: AbortSignal,
  ): Promise<readonly EncodedText[]>;
  /** Class of each answer about a text, -1 where it is not known. */
  labelsOf(example: Example, encoded: EncodedText): readonly number[];
  /** The model with what the task needs of it; throws where it was made for something else. */
  fit(model: Model, classes: readonly string[]): Model;
  /** Adds what makes answers, (batch, width) or (batch, sequence, width), of the model's output. */
  emitAnswers(builder: GraphBuilder, info: ModelInfo, output: Value): Value;
  /** Losses of learning from labels; none where there are no labels to learn from. */
  readonly labelLosses: readonly Loss[];
  /** The loss of learning from a teacher's answers. */
  imitation(temperature: number): Loss;
  judge(said: Float32Array, examples: TrainingExamples, answer: number): Judgement;
}
