import { z } from 'zod';
import { defineStage } from '../stage.ts';
import { foreseeGrid } from './grid.ts';

const cell = z.strictObject({
  batch: z.int().min(1).max(4096).describe('Texts at once.'),
  length: z.int().min(1).max(8192).describe('Tokens of each text.'),
});

const config = z.strictObject({
  threads: z.int().min(1).max(256).default(1).describe('Threads of one inference.'),
  rounds: z.int().min(3).max(1000).default(24).describe('Interleaved rounds A B C A B C.'),
  processes: z
    .int()
    .min(2)
    .max(100)
    .default(8)
    .describe('Fresh processes that share the rounds; never more than rounds. Intervals come from how these differ.'),
  batch: z.int().min(1).max(4096).default(32).describe('The batch measured beside batch 1.'),
  grid: z
    .array(cell)
    .max(32)
    .default([])
    .describe('More to measure, as { batch: 8, length: 64 }: texts at once, tokens of each.'),
  loads: z
    .int()
    .min(0)
    .max(50)
    .default(3)
    .describe('Fresh processes a model for load time, first run and memory; 0 leaves these out.'),
  profile: z
    .boolean()
    .default(true)
    .describe('Whether to look for the reasons why models are not faster: 2 to 4 seconds a model.'),
});

export type Config = z.output<typeof config>;

/** What it leaves for the report. */
const reported = z.looseObject({ rounds: z.number(), threads: z.number(), models: z.number() });

export type Reported = z.infer<typeof reported>;

/** Whether there is a profile is no option of the measurement. */
const withoutProfile = (section: unknown): object => {
  const { profile: _, ...options } = Object(section ?? {});
  return options;
};

/**
 * Latency of all models of a run, after the same inference fusions, interleaved round by round so that ratios hold on a
 * machine whose speed swings, over several processes; and what each costs to begin with, in processes of its own.
 */
export const measure = defineStage({
  uses: 'measure',
  version: 5,
  summary: 'Latency of every model, measured together.',
  config,
  place: 'all-models',
  automatic: {
    section: { name: 'measure', schema: config, summary: 'How latency is measured after the last stage.' },
    options: ({ measure: section }) => withoutProfile(section),
  },
  metrics: reported,
  makes: 'measurements',
  draws: false,
  environment: 'machine',
  wire: (_, wiring) => ({ dataset: wiring.dataset() }),
  foresee: (options, outlook) => foreseeGrid(options, outlook),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
