import type { Dataset, Example } from '../../data/dataset.ts';
import { stream } from '../../data/random.ts';
import type { Model } from '../../models/model.ts';
import { newT5 } from '../../stages/train/architectures/new-t5.ts';
import { withTellingTable } from '../rig/telling-table.ts';

export const MAX_LENGTH = 24;

const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** Letters of a source, and the same ones in capitals as its answer. */
const pairs = (count: number, purpose: string): readonly Example[] =>
  Array.from({ length: count }, (_, id) => {
    const random = stream(1, purpose, id);
    const own = Array.from({ length: 1 + random.integer(7) }, () => letters[random.integer(letters.length)] ?? '');
    return { id, text: own.join(' '), pair: own.join(' ').toUpperCase() };
  });

export const dataset: Dataset = {
  ...{ task: 'text2text', classes: [], maxLength: MAX_LENGTH },
  train: pairs(160, 'train'),
  unlabelled: [],
  validation: pairs(16, 'validation'),
  test: pairs(24, 'test'),
};

/** A tiny encoder-decoder from random weights whose answers differ from token to token. */
export const tinyT5 = ({ tied = true, decoderLayers = 2 } = {}): Model => {
  const sizes = { hidden: 32, layers: 2, decoderLayers, heads: 4, ffn: 48, vocabulary: 300 };
  const model = newT5({ uses: 't5', ...sizes, tied, dropout: 0 }, dataset, 3);
  return withTellingTable(model, 'shared.weight');
};

/** The largest difference of two lists of scores; infinite where they are not of one length. */
export const differenceOf = (a: Float32Array, b: Float32Array): number =>
  a.length === b.length
    ? a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] ?? Number.NaN))), 0)
    : Number.POSITIVE_INFINITY;
