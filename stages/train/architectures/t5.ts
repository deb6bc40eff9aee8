import { z } from 'zod';
import { type ArchitectureKind, expectHeads, width } from './kind.ts';
import { expectedOfTexts } from './of-texts.ts';

/** The shape of a small T5. */
const schema = z
  .strictObject({
    uses: z.literal('t5'),
    hidden: width.default(256).describe('width of the residual stream'),
    layers: z.int().min(1).max(96).default(3).describe('layers that read the source'),
    decoderLayers: z
      .int()
      .min(1)
      .max(96)
      .optional()
      .describe('layers that write the answer; left out, as many as read the source'),
    heads: z.int().min(1).max(256).default(4).describe('attention heads of each layer; they divide hidden'),
    ffn: width.default(768).describe('feed-forward neurons of each layer'),
    vocabulary: z
      .int()
      .min(300)
      .max(1_000_000)
      .default(6_400)
      .describe('tokens at most, of byte-level BPE that is learnt from the sources and answers of the training data'),
    tied: z.boolean().default(true).describe('whether the table of the tokens scores them, too'),
    dropout: z.number().min(0).max(0.95).default(0.1).describe('ratio of all dropout'),
  })
  .superRefine(expectHeads)
  .describe(
    'an encoder-decoder of T5’s kind, which answers texts by texts: relative positions, RMSNorm, attention to the source',
  );

export type T5Config = z.output<typeof schema>;

export const t5: ArchitectureKind<typeof schema> = {
  uses: 't5',
  schema,
  expected: expectedOfTexts('t5'),
  smallest: (shape) => ({ ...shape, hidden: shape.heads, layers: 1, decoderLayers: 1, ffn: 1 }),
  make: async (...given) => (await import('./new-t5.ts')).newT5(...given),
};
