import { z } from 'zod';
import { type ArchitectureKind, width } from './kind.ts';
import { expectedOfTexts } from './of-texts.ts';

/** The shape of a small GPT-2, which LLaMA's own would be at that size. */
const schema = z
  .strictObject({
    uses: z.literal('llama'),
    hidden: width.default(256).describe('width of the residual stream'),
    layers: z.int().min(1).max(96).default(6).describe('layers'),
    heads: z
      .int()
      .min(1)
      .max(256)
      .default(8)
      .describe('query heads of each layer; they divide hidden into even widths'),
    kvHeads: z
      .int()
      .min(1)
      .max(256)
      .optional()
      .describe('heads of keys and values, each for as many query heads; left out, a quarter of the heads, or one'),
    ffn: width.default(704).describe('gated feed-forward neurons of each layer'),
    vocabulary: z
      .int()
      .min(300)
      .max(1_000_000)
      .default(6_400)
      .describe('tokens at most, of byte-level BPE that is learnt from the training texts'),
    ropeTheta: z.number().min(1).default(10_000).describe('base of the rotary positions'),
    tied: z.boolean().default(true).describe('whether the table of the tokens scores them, too'),
    dropout: z.number().min(0).max(0.95).default(0).describe('ratio of all dropout'),
  })
  .superRefine(({ hidden, heads, kvHeads = 1 }, ctx) => {
    if ((hidden / heads) % 2 !== 0) {
      const message = `expected heads that divide hidden, which is ${hidden}, into even widths; found ${heads}`;
      ctx.addIssue({ code: 'custom', message, path: ['heads'] });
    }
    if (heads % kvHeads !== 0) {
      const message = `expected heads of keys and values that divide the ${heads} heads; found ${kvHeads}`;
      ctx.addIssue({ code: 'custom', message, path: ['kvHeads'] });
    }
  })
  .describe('a decoder of LLaMA’s kind, which writes texts: rotary positions, RMSNorm, SwiGLU, grouped-query heads');

export type LlamaConfig = z.output<typeof schema>;

/** A quarter of the heads, as far as that is a whole number of groups. */
export const kvHeadsOf = ({ heads, kvHeads = heads % 4 === 0 ? heads / 4 : 1 }: LlamaConfig): number => kvHeads;

export const llama: ArchitectureKind<typeof schema> = {
  uses: 'llama',
  schema,
  expected: (shape, maxLength) => {
    const { sizes, ...expected } = expectedOfTexts('llama')(shape, maxLength);
    return { ...expected, sizes: { ...sizes, kvHeads: kvHeadsOf(shape) }, tied: shape.tied };
  },
  smallest: (shape) => ({ ...shape, hidden: 2, heads: 1, kvHeads: 1, layers: 1, ffn: 1 }),
  make: async (...given) => (await import('./new-decoder.ts')).newDecoder(...given),
};
