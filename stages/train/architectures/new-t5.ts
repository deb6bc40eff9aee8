import type { Dataset } from '../../../data/dataset.ts';
import { tokenizerOf } from '../../../data/tokenize.ts';
import { endOfText, endOfTextId, trainDecoderBpe } from '../../../data/tokenizers/bpe.ts';
import type { Model } from '../../../models/model.ts';
import { buildT5 } from '../../../models/t5.ts';
import { trainingTexts } from './of-texts.ts';
import type { T5Config } from './t5.ts';

/** Trains the tokenizer on every source and answer and draws the weights. */
export const newT5 = (config: T5Config, dataset: Dataset, seed: number): Model => {
  const { uses: _, vocabulary, decoderLayers = config.layers, ...shape } = config;
  const json = trainDecoderBpe(trainingTexts(dataset), { size: vocabulary });
  return buildT5(
    {
      ...{ ...shape, decoderLayers, vocabulary: tokenizerOf(json).size, maxLength: dataset.maxLength },
      tokens: { padding: endOfTextId, unknown: endOfTextId, start: endOfTextId },
      end: { id: endOfTextId, text: endOfText },
    },
    json,
    seed,
  );
};
