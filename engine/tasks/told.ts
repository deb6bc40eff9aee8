/** A class, and how probable it is. */
interface ScoredClass {
  readonly label: string;
  readonly probability: number;
}

/** One class of several. */
export interface ToldClass extends ScoredClass {
  /** All of them, the most probable first. */
  readonly classes: readonly ScoredClass[];
}

/** The class of a word; nulls for one that was cut off. */
export interface ToldTag {
  readonly label: string | null;
  readonly probability: number | null;
}

/** Each of some classes or not. */
export interface ToldSet {
  /** Those that were said. */
  readonly labels: readonly string[];
  readonly classes: readonly (ScoredClass & {
    readonly said: boolean;
    /** What its probability was compared with. */
    readonly threshold: number;
  })[];
}

export interface ToldNumber {
  readonly score: number | null;
}

export interface ToldVector {
  readonly vector: readonly number[];
}

/** What may stand in the place of a mask. */
export interface ToldTokens {
  /** The most probable first. */
  readonly tokens: readonly { readonly token: string; readonly id: number; readonly probability: number }[];
}

/** What one answer says. */
export type Told = ToldClass | ToldTag | ToldSet | ToldNumber | ToldVector | ToldTokens;
