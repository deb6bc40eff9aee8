import { z } from 'zod';
import { defineStage } from '../stage.ts';

const config = z.strictObject({});

/** What a teacher says about every training text, labelled or not: computed once, without dropout, kept by text id. */
export const label = defineStage({
  uses: 'label',
  version: 3,
  summary: 'What a teacher says about every training text.',
  config,
  internal: true,
  makes: 'teacher-outputs',
  draws: false,
  wire: (_, wiring) => ({ dataset: wiring.dataset() }),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
