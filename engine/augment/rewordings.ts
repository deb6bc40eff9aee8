/** Other words for those of some examples, as a masked language model guesses them. */
export interface Rewordings {
  /** Words of example e that have others are those from starts[e] up to starts[e + 1]. */
  readonly starts: Int32Array;
  /** The token at which each stands, and which that is. */
  readonly places: Int32Array;
  readonly was: Int32Array;
  /** Other words of word w are those from others[w] up to others[w + 1]: tokens, with their probabilities, which come to 1. */
  readonly others: Int32Array;
  readonly tokens: Int32Array;
  readonly chances: Float32Array;
}
