/** How the numbers of a matrix are stored, and so computed with. */
type Storage =
  /** 8 bits and a step a column; activations are quantized as the model runs. */
  | { readonly kind: 'integers'; readonly signed: boolean }
  /** Few bits in blocks, each with a scale; activations stay floats. */
  | { readonly kind: 'blocks'; readonly bits: 2 | 4 | 8 }
  | { readonly kind: 'floats' };

/** What a file stores and computes in, by the name that clients know it by. */
export interface Format {
  /** In YAML and on the command line. */
  readonly name: string;
  /** What transformers.js calls it, and so how the file's name ends: `dtype`. */
  readonly dtype: string;
  /** One line for help and docs. */
  readonly summary: string;
  /** Matrices that activations are multiplied by. */
  readonly products: Storage;
  /** Tables that rows are looked up in. */
  readonly tables: Storage;
  /** Everything else. */
  readonly floats: 'float32' | 'float16';
}
