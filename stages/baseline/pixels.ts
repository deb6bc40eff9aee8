import type { Example } from '../../data/dataset.ts';
import { spaced } from '../../data/spaced.ts';
import { MOST_ENTRIES } from './budget.ts';
import type { SparseRows, Vectorizer } from './features.ts';

const rowsOf = (images: readonly Pick<Example, 'pixels'>[]): SparseRows => {
  const offsets = new Int32Array(images.length + 1);
  const columns: number[] = [];
  const values: number[] = [];
  for (const [i, { pixels }] of images.entries()) {
    const data = pixels?.data ?? new Uint8Array();
    const norm = Math.sqrt(data.reduce((sum, sample) => sum + sample * sample, 0));
    for (let at = 0; at < data.length; at++) {
      const sample = data[at] as number;
      if (sample === 0) continue;
      columns.push(at);
      values.push(sample / norm);
    }
    offsets[i + 1] = values.length;
  }
  return { offsets, columns: Int32Array.from(columns), values: Float64Array.from(values) };
};

/** Images as rows of samples, each of length 1: what a linear model can make of brightness alone. */
export const pixelVectorizer = ([first]: readonly Example[]): Vectorizer => ({
  features: first?.pixels?.data.length ?? 0,
  bytes: 0,
  rows: (images) => rowsOf(images.map((image) => (typeof image === 'string' ? {} : image))),
});

/** The training images, or as many of them as the budget holds. */
export const spacedImages = (images: readonly Example[]): readonly Example[] =>
  spaced(images, images.length * (images[0]?.pixels?.data.length ?? 0), 4 * MOST_ENTRIES);
