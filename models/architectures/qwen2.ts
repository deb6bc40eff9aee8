import { z } from 'zod';
import { llamaKeys, llamaLike } from './llama.ts';

/** Keys about windows, of which Qwen's checkpoints have some that they do not use. */
export const qwenWindows = {
  use_sliding_window: z.literal(false).default(false),
  sliding_window: z.unknown().optional(),
  max_window_layers: z.unknown().optional(),
  layer_types: z.array(z.literal('full_attention')).nullish(),
} as const;

/** Qwen2 and Qwen2.5 (Yang et al. 2024, arXiv 2407.10671): LLaMA with biases on queries, keys and values. */
export const qwen2 = llamaLike(['qwen2'], z.object({ ...llamaKeys, ...qwenWindows }), () => ({
  biases: { projections: true },
}));
