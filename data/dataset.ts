import type { DatasetTask } from '../ground/tasks.ts';

/**
 * One text with its class index; unlabelled examples have none. `id` is stable: caches and pairings go by it. A text to be
 * tagged is its words with single spaces between them; `tags` has a class index a word.
 */
export interface Example {
  readonly id: number;
  readonly text: string;
  /** The second text of a pair (premise and hypothesis, question and passage). */
  readonly pair?: string;
  readonly label?: number;
  readonly tags?: readonly number[];
}
export interface Labelled extends Example {
  readonly label: number;
}

export interface Dataset {
  /** What the examples are for: those of train, validation and test have what it asks for, a `label` or `tags` or neither. */
  readonly task: DatasetTask;
  /** Class names by index; none for features. */
  readonly classes: readonly string[];
  /** Texts are cut to this many tokens, special tokens included. */
  readonly maxLength: number;
  readonly train: readonly Example[];
  /** Training texts whose labels are not used (or not known). */
  readonly unlabelled: readonly Example[];
  readonly validation: readonly Example[];
  /** Only the final evaluation of each stage reads it. */
  readonly test: readonly Example[];
}

/** Examples of a text classification dataset; one without a class shows that a stage was given another task. */
export const labelledExamples = (examples: readonly Example[]): readonly Labelled[] =>
  examples.map((example) => {
    if (example.label === undefined) throw new Error(`example ${example.id} has no label`);
    return { ...example, label: example.label };
  });
