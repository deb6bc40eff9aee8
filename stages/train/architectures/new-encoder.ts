import type { Dataset } from '../../../data/dataset.ts';
import { tokenizerOf } from '../../../data/tokenize.ts';
import type { TokenizerJson } from '../../../data/tokenizer.ts';
import { trainByteBpe } from '../../../data/tokenizers/bpe.ts';
import { special } from '../../../data/tokenizers/vocabulary.ts';
import { trainWordPiece } from '../../../data/tokenizers/wordpiece.ts';
import { dataTask, taskWith } from '../../../ground/tasks.ts';
import { buildEncoder } from '../../../models/encoder.ts';
import type { Model } from '../../../models/model.ts';
import type { EncoderConfig } from './encoder.ts';
import { trainingTexts } from './of-texts.ts';

const trainers: Readonly<Record<EncoderConfig['tokenizer'], (texts: Iterable<string>, size: number) => TokenizerJson>> =
  {
    wordpiece: (texts, size) => trainWordPiece(texts, { size }),
    bpe: (texts, size) => trainByteBpe(texts, { size }),
  };

/** Trains the tokenizer on every training text and draws the encoder's weights. */
export const newEncoder = (config: EncoderConfig, dataset: Dataset, seed: number): Model => {
  const { uses: _, tokenizer: kind, vocabulary, ...shape } = config;
  const texts = trainingTexts(dataset);
  const json = trainers[kind](texts, vocabulary);
  const tokenizer = tokenizerOf(json);
  const idOf = (token: string): number => {
    for (let id = 0; id < tokenizer.size; id++) if (tokenizer.token(id) === token) return id;
    throw new Error(`the trained tokenizer has no '${token}'`);
  };
  const encoder = buildEncoder(
    {
      ...shape,
      vocabulary: tokenizer.size,
      maxLength: dataset.maxLength,
      labels: dataset.task === taskWith('text', 'choice') ? dataset.classes : [],
      tokens: { padding: idOf(special.padding), unknown: idOf(special.unknown) },
    },
    json,
    seed,
  );
  const sentence = { pooling: shape.pooling, normalize: true };
  const { info } = encoder;
  return dataTask(dataset.task).answer === 'vector'
    ? { ...encoder, info: { ...info, processor: { ...info.processor, sentence } } }
    : encoder;
};
