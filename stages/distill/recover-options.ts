import { z } from 'zod';
import { trainingConfig } from '../train/options.ts';
import { distillationConfig } from './options.ts';
import { teacherConfig } from './teachers.ts';

/** Training that follows a change of a model inside of another stage: the options of train or distill. */
export const recover = z.discriminatedUnion('uses', [
  z.strictObject({ uses: z.literal('train'), ...trainingConfig }),
  z.strictObject({
    uses: z.literal('distill'),
    ...teacherConfig,
    ...distillationConfig,
  }),
]);

export type Recover = z.infer<typeof recover>;
