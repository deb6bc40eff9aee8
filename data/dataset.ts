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
  /** Class names by index. */
  readonly classes: readonly string[];
  /** Texts are cut to this many tokens, special tokens included. */
  readonly maxLength: number;
  readonly train: readonly Labelled[];
  /** Training texts whose labels are not used (or not known). */
  readonly unlabelled: readonly Example[];
  readonly validation: readonly Labelled[];
  /** Only the final evaluation of each stage reads it. */
  readonly test: readonly Labelled[];
}
