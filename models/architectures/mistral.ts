import { z } from 'zod';
import { size } from './bert-layers.ts';
import { llamaKeys, llamaLike } from './llama.ts';

/** Mistral (Jiang et al. 2023, arXiv 2310.06825): LLaMA whose tokens see a window of those before them. */
export const mistral = llamaLike(
  ['mistral'],
  z.object({
    ...llamaKeys,
    num_key_value_heads: size.nullish().default(8),
    sliding_window: size.nullish().default(4096),
  }),
  ({ sliding_window: window }) => (window == null ? {} : { window }),
);
