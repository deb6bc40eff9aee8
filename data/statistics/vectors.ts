import { cosineOf } from '../cosine.ts';

/** What a model made of every text of a split, a vector each. */
export interface Vectors {
  readonly ids: Int32Array;
  readonly width: number;
  /** (texts, width), row-major. */
  readonly values: Float32Array;
}

/** Cosine of each text's vector to the reference's. */
export const cosinesTo = (reference: Vectors, model: Vectors): Float64Array =>
  Float64Array.from(model.ids, (_, i) => cosineOf(model.values, i, reference.values, i, model.width));

/** The first texts stand for all: their pairs are 44,850. */
const TEXTS_OF_PAIRS = 300;

/** Cosines of the pairs of the first texts. */
export const pairCosines = ({ ids, width, values }: Vectors): Float64Array => {
  const texts = Math.min(ids.length, TEXTS_OF_PAIRS);
  const cosines = new Float64Array((texts * (texts - 1)) / 2);
  let at = 0;
  for (let i = 1; i < texts; i++) for (let j = 0; j < i; j++) cosines[at++] = cosineOf(values, i, values, j, width);
  return cosines;
};
