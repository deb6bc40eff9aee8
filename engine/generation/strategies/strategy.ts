/** One way to change what is written next, by a number that somebody gives. */
export interface Strategy<N extends string = string> {
  /** As programs call it; commands write it with hyphens. */
  readonly option: N;
  /** A line for help. */
  readonly summary: string;
  /** The numbers that it takes. */
  readonly takes: { readonly least: number; readonly most: number; readonly whole: boolean };
  /** What would be taken in place of a number, in words; undefined where the number is. */
  expected(given: number): string | undefined;
  /** Whether tokens are drawn where it is asked for: else the most probable one is taken. */
  readonly draws: boolean;
  /** Changes the scores of the vocabulary in place; what is impossible becomes negative infinity. */
  apply(scores: Float32Array, given: number, written: ArrayLike<number>): void;
}

/** A strategy that says by itself which numbers it takes. */
export const defineStrategy = <const N extends string>(strategy: Omit<Strategy<N>, 'expected'>): Strategy<N> => ({
  ...strategy,
  expected: (given) => {
    const { least, most, whole } = strategy.takes;
    if (given >= least && given <= most && (!whole || Number.isInteger(given))) return undefined;
    return `a ${whole ? 'whole ' : ''}number from ${least} to ${most}`;
  },
});
