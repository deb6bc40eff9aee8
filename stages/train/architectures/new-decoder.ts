import type { Dataset } from '../../../data/dataset.ts';
import { tokenizerOf } from '../../../data/tokenize.ts';
import { endOfText, endOfTextId, trainDecoderBpe } from '../../../data/tokenizers/bpe.ts';
import { buildDecoder } from '../../../models/decoder.ts';
import type { Model } from '../../../models/model.ts';
import { kvHeadsOf, type LlamaConfig } from './llama.ts';
import { trainingTexts } from './of-texts.ts';

/** Trains the tokenizer on every training text and draws the decoder's weights. */
export const newDecoder = (config: LlamaConfig, dataset: Dataset, seed: number): Model => {
  const { uses: _, vocabulary, ...shape } = config;
  const texts = trainingTexts(dataset);
  const json = trainDecoderBpe(texts, { size: vocabulary });
  return buildDecoder(
    {
      ...{ ...shape, kvHeads: kvHeadsOf(config), vocabulary: tokenizerOf(json).size, maxLength: dataset.maxLength },
      tokens: { padding: endOfTextId, unknown: endOfTextId },
      end: { id: endOfTextId, text: endOfText },
    },
    json,
    seed,
  );
};
