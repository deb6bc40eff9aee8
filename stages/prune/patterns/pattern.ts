import type { Plane } from '../plane.ts';

/** Among which weights those go that matter least: of each row, of each matrix, or of all together. */
export const competitions = ['row', 'matrix', 'model'] as const;
export type Competition = (typeof competitions)[number];

/** How much each number of a weight matters, in the weight's own order: not negative, and 0 for what is gone already. */
export interface Scored {
  readonly plane: Plane;
  readonly scores: Float32Array;
}

/** The smallest number above 0: what is there counts more than what is gone. */
const LEAST = 2 ** -149;

/** Scores as patterns want them: those below 0 are raised with all others, and what is 0 already has none. */
export const asScores = (data: Float32Array, scores: Float32Array, into: Float32Array, least = 0): Float32Array => {
  for (let i = 0; i < into.length; i++) {
    into[i] = data[i] === 0 ? 0 : Math.max((scores[i] as number) - least, LEAST);
  }
  return into;
};

/** How much goes, and who competes. */
export interface Cut {
  /** Of all numbers together, reached to the very unit; less than a pattern fixes is a part of the way to it. */
  readonly share: number;
  readonly compete: Competition;
}

/** Where zeros may stand. */
export interface Pattern {
  /** As YAML has it. */
  readonly text: string;
  /** The share of zeros, where the pattern says it. */
  readonly fixed?: number;
  /** Inputs among which what goes is decided at once by who walks along them; as many as he likes where it is left out. */
  readonly together?: number;
  /** Rows and columns that go together: weights have to be multiples of them. */
  readonly rows: number;
  readonly columns: number;
  /** Marks with 1 what goes, weight by weight. */
  mark(all: readonly Scored[], cut: Cut): readonly Uint8Array[];
}

/** Patterns of one form. */
export interface PatternKind {
  readonly name: string;
  readonly summary: string;
  /** How it is written. */
  readonly example: string;
  /** The pattern of a text, or what is wrong with it; nothing where the text has another form. */
  parse(text: string): Pattern | { readonly problem: string } | undefined;
}
