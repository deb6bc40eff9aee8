import type { Dataset } from '../../data/dataset.ts';
import type { Model } from '../../models/model.ts';
import { newDecoder } from '../../stages/train/architectures/new-decoder.ts';
import { withTellingTable } from '../rig/telling-table.ts';

export const MAX_LENGTH = 32;

const words = ['the', 'old', 'dog', 'cat', 'sleeps', 'runs', 'and', 'quietly', 'small', 'bird'];

/** Texts that go round in a circle of words: what comes next follows from what stands before. */
const circling = (count: number, length: number): readonly string[] =>
  Array.from({ length: count }, (_, text) =>
    Array.from({ length }, (_unused, i) => words[(text + i) % words.length]).join(' '),
  );

const examples = (texts: readonly string[]) => texts.map((text, id) => ({ id, text }));

export const dataset: Dataset = {
  ...{ task: 'text-generation', classes: [], maxLength: MAX_LENGTH },
  train: examples(circling(40, 30)),
  unlabelled: [],
  validation: examples(circling(4, 24)),
  test: examples(circling(6, 50)),
};

export interface TinyShape {
  readonly kvHeads?: number;
  readonly tied?: boolean;
}

/** A tiny decoder from random weights whose answers differ from token to token. */
export const tinyDecoder = ({ kvHeads = 2, tied = true }: TinyShape = {}): Model => {
  const sizes = { hidden: 32, layers: 2, heads: 4, kvHeads, ffn: 48, vocabulary: 300 };
  const model = newDecoder({ uses: 'llama', ...sizes, ropeTheta: 10_000, tied, dropout: 0 }, dataset, 3);
  return withTellingTable(model, 'model.embed_tokens.weight');
};
