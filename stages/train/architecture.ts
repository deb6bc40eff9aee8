import { z } from 'zod';
import type { Dataset } from '../../data/dataset.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import type { TokenizerJson } from '../../data/tokenizer.ts';
import { trainByteBpe } from '../../data/tokenizers/bpe.ts';
import { special } from '../../data/tokenizers/vocabulary.ts';
import { trainWordPiece } from '../../data/tokenizers/wordpiece.ts';
import { buildEncoder, textModelType } from '../../models/encoder.ts';
import type { Model } from '../../models/model.ts';
import type { Expected } from '../expected.ts';

const width = z.int().min(1).max(16_384);

/** An encoder of decant's own, with a tokenizer trained on the training texts. */
export const architecture = z
  .strictObject({
    hidden: width.default(192).describe('width of the residual stream'),
    layers: z.int().min(1).max(96).default(3).describe('layers'),
    heads: z.int().min(1).max(256).default(4).describe('attention heads of each layer; they divide hidden'),
    ffn: width.default(768).describe('feed-forward neurons of each layer'),
    norm: z.enum(['pre', 'post']).default('pre').describe('layer normalisation before or after each sublayer'),
    activation: z.enum(['gelu', 'relu']).default('gelu').describe('activation of the feed-forward neurons'),
    pooling: z
      .enum(['mean', 'first'])
      .default('mean')
      .describe('what a classifier of texts reads, or their vector is: mean or first token'),
    dropout: z.number().min(0).max(0.95).default(0.15).describe('ratio of all dropout'),
    tokenizer: z.enum(['wordpiece', 'bpe']).default('wordpiece').describe('kind of tokenizer that is trained'),
    vocabulary: z.int().min(300).max(1_000_000).default(12_000).describe('tokens at most'),
  })
  .superRefine(({ hidden, heads }, ctx) => {
    if (hidden % heads === 0) return;
    const message = `expected heads that divide hidden, which is ${hidden}; found ${heads}`;
    ctx.addIssue({ code: 'custom', message, path: ['heads'] });
  })
  .describe('shape of an encoder that starts from random weights, with its own tokenizer');
export type ArchitectureConfig = z.infer<typeof architecture>;

/** What is known of such an encoder before anything is drawn: its vocabulary may come out smaller. */
export const expectedOf = (shape: ArchitectureConfig, maxLength: number | undefined): Expected => {
  const { hidden, layers, heads, ffn, vocabulary } = shape;
  const sizes = { hidden, embedding: hidden, layers, heads, ffn, vocabulary };
  return { modelType: textModelType, ...(maxLength === undefined ? {} : { maxLength }), sizes };
};

const trainers: Readonly<
  Record<ArchitectureConfig['tokenizer'], (texts: Iterable<string>, size: number) => TokenizerJson>
> = {
  wordpiece: (texts, size) => trainWordPiece(texts, { size }),
  bpe: (texts, size) => trainByteBpe(texts, { size }),
};

/** Trains the tokenizer on every training text and draws the encoder's weights. */
export const newEncoder = (config: ArchitectureConfig, dataset: Dataset, seed: number): Model => {
  const { tokenizer: kind, vocabulary, ...shape } = config;
  const texts = [...dataset.train, ...dataset.unlabelled].flatMap(({ text, pair = '' }) => [text, pair]);
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
      labels: dataset.task === 'text-classification' ? dataset.classes : [],
      tokens: { padding: idOf(special.padding), unknown: idOf(special.unknown) },
    },
    json,
    seed,
  );
  const sentence = { pooling: shape.pooling, normalize: true };
  const { info } = encoder;
  return dataset.task === 'features'
    ? { ...encoder, info: { ...info, processor: { ...info.processor, sentence } } }
    : encoder;
};
