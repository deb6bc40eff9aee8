import type { Dataset } from '../../../data/dataset.ts';
import { tokenizerOf } from '../../../data/tokenize.ts';
import { endOfText, endOfTextId, trainDecoderBpe } from '../../../data/tokenizers/bpe.ts';
import { buildDecoder } from '../../../models/decoder.ts';
import type { Model } from '../../../models/model.ts';
import type { LlamaConfig } from './llama.ts';
import { trainingTexts } from './of-texts.ts';

/** A quarter of the heads, as far as that is a whole number of groups. */
const usualKvHeads = (heads: number): number => (heads % 4 === 0 ? heads / 4 : 1);

/** Trains the tokenizer on every training text and draws the decoder's weights. */
export const newDecoder = (config: LlamaConfig, dataset: Dataset, seed: number): Model => {
  const { uses: _, vocabulary, kvHeads = usualKvHeads(config.heads), ...shape } = config;
  const texts = trainingTexts(dataset);
  const json = trainDecoderBpe(texts, { size: vocabulary });
  return buildDecoder(
    {
      ...{ ...shape, kvHeads, vocabulary: tokenizerOf(json).size, maxLength: dataset.maxLength },
      tokens: { padding: endOfTextId, unknown: endOfTextId },
      end: { id: endOfTextId, text: endOfText },
    },
    json,
    seed,
  );
};
