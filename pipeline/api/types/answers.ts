import type { ToldClass, ToldNumber, ToldSet, ToldTag, ToldTokens, ToldVector } from '../../../engine/tasks/told.ts';

/** A text, or a pair of them. */
export interface Given {
  readonly text: string;
  readonly pair?: string;
}

/** The most probable class of a text. */
export interface ClassAnswer extends Given, ToldClass {}

/** Those of some classes that a text has. */
export interface SetAnswer extends Given, ToldSet {}

export interface NumberAnswer extends Given, ToldNumber {}

export interface VectorAnswer extends Given, ToldVector {}

export interface TaggedWord extends ToldTag {
  readonly word: string;
}

/** The words of a text, each with its tag. */
export interface TagsAnswer {
  readonly text: string;
  readonly words: readonly TaggedWord[];
}

export interface FoundEntity {
  readonly label: string;
  readonly text: string;
  /** In characters of the text, the end behind the last one. */
  readonly start: number;
  readonly end: number;
  /** Mean of those of its words' tags. */
  readonly probability: number;
}

/** What the words of a text name. */
export interface EntitiesAnswer {
  readonly text: string;
  readonly entities: readonly FoundEntity[];
}

/** What may stand in the place of each mask of a text. */
export interface MasksAnswer extends Given {
  readonly masks: readonly ToldTokens[];
}

/** What a model says of one text: which of these it is, the task of the model decides. */
export type Answer = ClassAnswer | SetAnswer | NumberAnswer | VectorAnswer | TagsAnswer | EntitiesAnswer | MasksAnswer;
