import { z } from 'zod';
import { size } from './bert-layers.ts';
import { llamaKeys, llamaLike } from './llama.ts';
import { qwenWindows } from './qwen2.ts';

/** Qwen3 (Yang et al. 2025, arXiv 2505.09388): heads of their own width, whose queries and keys are normalised. */
export const qwen3 = llamaLike(
  ['qwen3'],
  z.object({
    ...llamaKeys,
    ...qwenWindows,
    head_dim: size.nullish().default(128),
    attention_bias: z.boolean().default(false),
  }),
  ({ attention_bias: bias }) => ({ headNorms: true, biases: { projections: bias, mixed: bias } }),
);
