import { z } from 'zod';
import type { ImitationEntry } from '../../engine/losses/imitation.ts';
import { imitations } from '../../engine/losses/imitations/index.ts';
import { givenLayers } from '../../engine/losses/layer-map.ts';
import { trainingConfig } from '../train/options.ts';
import { selectOption } from './select/option.ts';
import { writtenOption } from './written.ts';

const hidden = z.strictObject({
  weight: z.number().positive().default(1).describe('weight of the hidden-state loss'),
  layers: z
    .union([z.enum(['uniform', 'last']), givenLayers])
    .default('uniform')
    .describe('which teacher layer each student layer imitates; or a map of student to teacher layers, from 0'),
  share: z
    .number()
    .positive()
    .max(1)
    .default(1 / 3)
    .describe('share of the steps in which hidden states are compared'),
});

const [usual, ...others] = imitations;

/** One loss by its name, with its options. */
const entry: z.ZodType<ImitationEntry> = z.discriminatedUnion('uses', [
  usual.schema,
  ...others.map(({ schema }) => schema),
]);

/** Options of distillation besides the teacher. */
export const distillationConfig = {
  ...trainingConfig,
  // The teacher's logits are a target without noise: later is better, and a few thousand labels cannot tell epochs apart.
  keep: z.enum(['best', 'last']).default('last').describe('the epoch whose weights are kept'),
  temperature: z.number().min(0.1).max(100).default(2).describe('softens both distributions before they are compared'),
  hard: z.number().min(0).max(1).default(0.1).describe('weight of the label where a text has one'),
  hidden: hidden.optional().describe('also imitate the hidden states of the teacher, first'),
  written: writtenOption.optional(),
  select: selectOption.optional(),
  losses: z
    .array(entry)
    .min(1)
    .optional()
    .meta({
      description: `What is imitated, instead of the usual and hidden; { uses, weight, until } with its own options. ${imitations
        .map(({ uses, summary }) => `${uses}: ${summary}`)
        .join('; ')}.`,
    }),
} as const;

const everyOption = z.strictObject(distillationConfig);
export type DistillationConfig = z.infer<typeof everyOption>;
