import { z } from 'zod';
import { type ArchitectureKind, expectHeads, width } from './kind.ts';

/** Small enough for small images: ViT-Tiny's proportions at half its width. */
const schema = z
  .strictObject({
    uses: z.literal('vit'),
    patch: z
      .int()
      .min(1)
      .max(256)
      .default(4)
      .describe('edge of a patch in pixels; it divides both sides of the images'),
    hidden: width.default(96).describe('width of the residual stream'),
    layers: z.int().min(1).max(96).default(6).describe('layers'),
    heads: z.int().min(1).max(256).default(4).describe('attention heads of each layer; they divide hidden'),
    ffn: width.default(192).describe('feed-forward neurons of each layer'),
    activation: z.enum(['gelu', 'relu']).default('gelu').describe('activation of the feed-forward neurons'),
    pooling: z
      .enum(['mean', 'first'])
      .default('mean')
      .describe('what the classifier reads: the mean of all patches, or a learnt position in front of them'),
    dropout: z.number().min(0).max(0.95).default(0.1).describe('ratio of all dropout'),
  })
  .superRefine(expectHeads)
  .describe('a Vision Transformer, which reads images as a sequence of patches');

export type VitConfig = z.output<typeof schema>;

export const vit: ArchitectureKind<typeof schema> = {
  uses: 'vit',
  schema,
  expected: ({ hidden, layers, heads, ffn, patch }) => ({
    modelType: 'vit',
    maxLength: 1,
    sizes: { hidden, layers, heads, ffn, patch },
  }),
  smallest: (shape) => ({ ...shape, hidden: shape.heads, layers: 1, ffn: 1 }),
  make: async (...given) => (await import('./new-vit.ts')).newVit(...given),
};
