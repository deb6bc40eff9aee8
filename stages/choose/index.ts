import { z } from 'zod';
import { choice } from '../../ground/reported/choice.ts';
import { json } from '../../ground/reported/json.ts';
import { defineStage } from '../stage.ts';

const config = z.strictObject({ stage: z.string(), options: json });

export type Config = z.output<typeof config>;

/** Tries what a stage is to train on every engine of this machine, before it begins. */
export const choose = defineStage({
  uses: 'choose',
  version: 1,
  summary: 'The engine that trains fastest, by some updates of the very training.',
  config,
  place: 'asked',
  metrics: choice,
  makes: 'choice',
  draws: false,
  environment: 'engines',
  wire: () => ({}),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
