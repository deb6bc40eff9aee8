/** What transformers takes for the keys that a preprocessor_config.json leaves out. */
export interface ImageProcessorKind {
  /** The names of its class, of every release and without "Fast". */
  readonly names: readonly string[];
  readonly defaults: {
    /** Height and width that images are scaled to. */
    readonly size: readonly [number, number];
    /** Height and width that are cut from the middle of the scaled image, where they are. */
    readonly crop?: readonly [number, number];
    readonly mean: readonly number[];
    readonly deviation: readonly number[];
  };
}
