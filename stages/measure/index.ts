import { z } from 'zod';
import { defaultEngine, engines } from '../../engine/engines/index.ts';
import { once } from '../../ground/once.ts';
import { defineStage } from '../stage.ts';
import { measuringEffort } from './effort.ts';
import { foreseeGrid } from './grid.ts';

const cell = z.strictObject({
  batch: z.int().min(1).max(4096).describe('Texts at once.'),
  length: z.int().min(1).max(8192).describe('Tokens of each text.'),
});

const engineNames = z
  .array(z.enum(engines.map(({ name }) => name)))
  .min(1, 'expected a list of at least one engine')
  // One engine twice would be measured twice and told once.
  .superRefine(once('engine'))
  .describe('What to measure on; tables begin with the first, which speed-ups and gates are about.');

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
  engines: engineNames.exactOptional(),
  profile: z
    .boolean()
    .default(true)
    .describe('Whether to look for the reasons why models are not faster: 2 to 4 seconds a model.'),
});

export type Config = z.output<typeof config>;

/** What it leaves for the report. */
const reported = z.looseObject({ rounds: z.number(), threads: z.number(), models: z.number() });

export type Reported = z.infer<typeof reported>;

/** What a file says, where the CPU needs no word. */
const section = config.extend({ engines: engineNames.default([defaultEngine]) });

export const enginesOf = ({ engines: names = [defaultEngine] }: Config): readonly string[] => names;

/** Whether there is a profile is no option of the measurement, and the CPU alone is what it is without a word. */
const optionsIn = (given: unknown): object => {
  const { profile: _, engines: names, ...options } = Object(given ?? {});
  const isUsual = names === undefined || (Array.isArray(names) && names.length === 1 && names[0] === defaultEngine);
  return isUsual ? options : { ...options, engines: names };
};

/**
 * Latency of all models of a run, after the same inference fusions, interleaved round by round so that ratios hold on a
 * machine whose speed swings, over several processes, on each engine that is asked for; and what each costs to begin with, in
 * processes of its own.
 */
export const measure = defineStage({
  uses: 'measure',
  version: 5,
  summary: 'Latency of every model, measured together.',
  config,
  place: 'all-models',
  automatic: {
    section: { name: 'measure', schema: section, summary: 'How latency is measured after the last stage.' },
    options: ({ measure: given }) => optionsIn(given),
  },
  metrics: reported,
  makes: 'measurements',
  draws: false,
  environment: 'machine',
  engines: enginesOf,
  wire: (_, wiring) => ({ dataset: wiring.dataset() }),
  foresee: (options, outlook) => foreseeGrid(options, outlook),
  effort: (options, _, models) => measuringEffort(options, models),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
