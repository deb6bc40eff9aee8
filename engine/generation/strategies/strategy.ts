/** One way to change what is written next, by a number that somebody gives. */
export interface Strategy<N extends string = string> {
  /** As programs call it; commands write it with hyphens. */
  readonly option: N;
  /** A line for help. */
  readonly summary: string;
  /** The numbers that it takes. */
  readonly takes: { readonly least: number; readonly most: number; readonly whole: boolean };
  /** Whether tokens are drawn where it is asked for: else the most probable one is taken. */
  readonly draws: boolean;
  /** Changes the scores of the vocabulary in place; what is impossible becomes negative infinity. */
  apply(scores: Float32Array, given: number, written: ArrayLike<number>): void;
}

export const defineStrategy = <const N extends string>(strategy: Strategy<N>): Strategy<N> => strategy;
