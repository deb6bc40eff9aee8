import { z } from 'zod';
import { trainingConfig } from '../train/options.ts';

const layerMap = z
  .record(z.string().regex(/^\d+$/, 'expected the number of a student layer, counted from 0'), z.int().min(0))
  .refine((map) => Object.keys(map).length > 0, 'expected at least one layer');

const hidden = z.strictObject({
  weight: z.number().positive().default(1).describe('weight of the hidden-state loss'),
  layers: z
    .union([z.enum(['uniform', 'last']), layerMap])
    .default('uniform')
    .describe('which teacher layer each student layer imitates; or a map of student to teacher layers, from 0'),
  share: z
    .number()
    .positive()
    .max(1)
    .default(1 / 3)
    .describe('share of the steps in which hidden states are compared'),
});
export type HiddenConfig = z.infer<typeof hidden>;

/** Options of distillation besides the teacher. */
export const distillationConfig = {
  ...trainingConfig,
  // The teacher's logits are a target without noise: later is better, and a few thousand labels cannot tell epochs apart.
  keep: z.enum(['best', 'last']).default('last').describe('the epoch whose weights are kept'),
  temperature: z.number().min(0.1).max(100).default(2).describe('softens both distributions before they are compared'),
  hard: z.number().min(0).max(1).default(0.1).describe('weight of the label where a text has one'),
  hidden: hidden.optional().describe('also imitate the hidden states of the teacher, first'),
} as const;

const everyOption = z.strictObject(distillationConfig);
export type DistillationConfig = z.infer<typeof everyOption>;
