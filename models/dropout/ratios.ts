/** Where field and checkpoints drop: what stands there. */
export type DropoutKind =
  /** What the layers are fed: words, positions and types, summed and normalised. */
  | 'embeddings'
  /** A table of relative positions that attention projects, as DeBERTa's. */
  | 'positions'
  /** The shares that attention gives each position. */
  | 'attention'
  /** What a block adds to the stream, behind its last matrix. */
  | 'hidden'
  /** Gated neurons, before the matrix that joins them: there, instead of behind it. */
  | 'neurons'
  /** The vector of a text, before the dense layer of a head that drops it twice. */
  | 'pooler'
  /** What a classifier reads. */
  | 'classifier';

/** The ratios of embeddings and layers. */
export type BodyRatios = Readonly<Record<'embeddings' | 'positions' | 'attention' | 'hidden' | 'neurons', number>>;

/** Those of a head; it drops before its dense layer only where it says so. */
export interface HeadRatios {
  readonly classifier: number;
  readonly pooler?: number;
}

export type DropoutRatios = BodyRatios & HeadRatios;

/** The same everywhere: 0 of a graph beside which nothing says any, so that nothing is dropped until training is told a ratio. */
export const evenly = (ratio: number): DropoutRatios => ({
  ...{ embeddings: ratio, positions: ratio, attention: ratio, hidden: ratio, neurons: ratio, classifier: ratio },
});
