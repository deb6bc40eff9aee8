import { z } from 'zod';
import { defineStage } from '../stage.ts';

const config = z.strictObject({
  as: z.enum(['float32', 'int8']).default('float32'),
  /** Width of the stream, as `keep.hidden` of prune says it: a count or a share; the whole one where it is left out. */
  hidden: z.union([z.number(), z.string()]).exactOptional(),
  /** Whether narrower streams are timed, too. */
  widths: z.boolean().default(false),
});

export type Config = z.output<typeof config>;

/** What it leaves for the report. */
const reported = z.looseObject({ widths: z.number(), threads: z.number(), busy: z.boolean() });

export type Reported = z.infer<typeof reported>;

/** Seconds that a table takes: some forty graphs, in turns beside the model. */
const SECONDS = 60;

/** What each block of a model costs at each width on this machine, timed once and kept. */
export const costs = defineStage({
  uses: 'costs',
  version: 1,
  summary: 'What each block of a model costs at each width on this machine.',
  config,
  place: 'asked',
  metrics: reported,
  makes: 'costs',
  draws: false,
  environment: 'machine',
  takes: { model: 'floats' },
  wire: (_, wiring) => ({ dataset: wiring.dataset() }),
  effort: () => ({ seconds: SECONDS }),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
