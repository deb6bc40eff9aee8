import { z } from 'zod';
import { textModelType } from '../../../models/facts.ts';
import { type ArchitectureKind, expectHeads, width } from './kind.ts';
import { expectedOfTexts } from './of-texts.ts';

/** An encoder of decant's own. */
const schema = z
  .strictObject({
    uses: z.literal('encoder').optional(),
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
  .superRefine(expectHeads)
  .describe('an encoder, which reads texts from both sides');

export type EncoderConfig = z.output<typeof schema>;

export const encoder: ArchitectureKind<typeof schema> = {
  uses: 'encoder',
  schema,
  expected: expectedOfTexts(textModelType),
  smallest: (shape) => ({ ...shape, hidden: shape.heads, layers: 1, ffn: 1 }),
  make: async (...given) => (await import('./new-encoder.ts')).newEncoder(...given),
};
