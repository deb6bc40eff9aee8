import type { DatasetTask } from '../ground/tasks.ts';

/** What is known of a text: the index of its class, indices of classes, or a number. The task says which. */
export type Target = number | readonly number[];

/** Samples of 8 bits of an image: rows of pixels from the top, the channels of each pixel side by side. */
export interface Pixels {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/**
 * One text with what is known of it; unlabelled examples have no target. `id` is stable: caches and pairings go by it. A text
 * to be tagged is its words with single spaces between them, and its target has a class index a word.
 */
export interface Example {
  readonly id: number;
  readonly text: string;
  /** The second text of a pair (premise and hypothesis, question and passage). */
  readonly pair?: string;
  /** The image that it is of: its text is then what the image is called. */
  readonly pixels?: Pixels;
  readonly target?: Target;
}

/** What a model is asked about: a text, two that are read together, or an image. */
export type Input = string | Pick<Example, 'text' | 'pair' | 'pixels'>;

export interface Dataset {
  /** Says what the targets of train, validation and test are. */
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

/** The class of a text; an example without one shows that a stage was given another task. */
export const labelOf = ({ id, target }: Example): number => {
  if (typeof target !== 'number') throw new Error(`example ${id} has no label`);
  return target;
};

/** The classes of the words of a text; none where they are not known. */
export const tagsOf = ({ target = [] }: Example): readonly number[] => (typeof target === 'number' ? [] : target);
