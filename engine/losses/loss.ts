import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/graph.ts';

/** What a loss sees of the step graph while it adds its nodes. */
export interface StepScope {
  readonly builder: GraphBuilder;
  /** Token ids (batch, sequence) as the teacher reads them, without token dropout: an input made on demand. */
  cleanIds(): Value;
  /** Token types (batch, sequence): the student's own input, or one made on demand for a teacher. */
  types(): Value;
  /** Attention mask (batch, sequence), int64. */
  readonly mask: Value;
  /** What the model says: (batch, width), or (batch, sequence, width) where it answers about words. */
  readonly answers: Value;
  /** A value of the student's graph by its name there. */
  student(name: string): Value;
  /** A parameter that only this loss has; it is trained along and thrown away. */
  parameter(name: string, dims: readonly number[]): Value;
}

/**
 * One term of the training loss: adds nodes that compute a scalar. Means are taken by weights that the host feeds, so
 * that gradients of several batches add up to exactly the gradient of the one large batch.
 */
export interface Loss {
  readonly name: string;
  emit(scope: StepScope): Value;
}

/** Names of the inputs that losses add. */
export const lossInputs = {
  /** Like the answers: a distribution over classes times the weight of the answer; zeros where there is no label. */
  targets: 'targets',
  /** Like the answers: what the teacher says. */
  teacher: 'teacher_answers',
  /** (batch) or (batch, sequence): weight of each answer in the loss against the teacher; zeros where there is none. */
  softWeights: 'soft_weights',
  /** Scalar: weight of one kept token in the hidden-state loss. */
  tokenWeight: 'token_weight',
  /** (batch, sequence): ids as the teacher reads them. */
  cleanIds: 'clean_ids',
  /** (batch, sequence): token types for a teacher whose student has none. */
  types: 'teacher_types',
} as const;
