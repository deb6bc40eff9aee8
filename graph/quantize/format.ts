/** Few bits in blocks, each with a scale; activations stay floats. */
interface Blocks {
  readonly kind: 'blocks';
  readonly bits: 2 | 4 | 8;
}

interface Floats {
  readonly kind: 'floats';
}

/** 8 bits and a step a column; activations have 8 bits, too, of a range found as the model runs or known from texts. */
interface Integers {
  readonly kind: 'integers';
  readonly signed: boolean;
  readonly ranges: 'as it runs' | 'from texts';
}

/** What a file stores and computes in, by the name that clients know it by. */
export interface Format {
  /** In YAML and on the command line. */
  readonly name: string;
  /** What transformers.js calls it, and so how the file's name ends: `dtype`. */
  readonly dtype: string;
  /** One line for help and docs. */
  readonly summary: string;
  /** Matrices that activations are multiplied by. */
  readonly products: Integers | Blocks | Floats;
  /** Tables that rows are looked up in. */
  readonly tables: { readonly kind: 'integers' } | Blocks | Floats;
  /** Everything else. */
  readonly floats: 'float32' | 'float16';
}

/** Whether activations have 8 bits of ranges that are known before the model runs. */
export const fixesRanges = ({ products }: Pick<Format, 'products'>): boolean =>
  products.kind === 'integers' && products.ranges === 'from texts';

/** What products in blocks multiply by. */
export const activationKinds = ['float', 'int8'] as const;

export type Activations = (typeof activationKinds)[number];
