import type { Plane } from '../plane.ts';

/** Among which weights those go that matter least: of each row, of each matrix, or of all together. */
export type Competition = 'row' | 'matrix' | 'model';

/** How much each number of a weight matters, in the weight's own order: not negative, and 0 for what is gone already. */
export interface Scored {
  readonly plane: Plane;
  readonly scores: Float32Array;
}

/** How much goes, and who competes. */
interface Cut {
  /** Of all numbers together, reached to the very unit. */
  readonly share: number;
  readonly compete: Competition;
}

/** Where zeros may stand. */
export interface Pattern {
  /** As YAML has it. */
  readonly text: string;
  /** The share of zeros, where the pattern says it. */
  readonly fixed?: number;
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
