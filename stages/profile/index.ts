import { z } from 'zod';
import { defineStage } from '../stage.ts';

const config = z.strictObject({
  threads: z.int().min(1).max(256).default(1).describe('Threads that latency is measured with.'),
  rounds: z.int().min(3).max(1000).default(30).describe('Interleaved rounds of every model and its changes.'),
});

export type Config = z.output<typeof config>;

/** As many rounds as are usual. */
const SECONDS_A_MODEL = 2;

/** What it leaves for the report. */
const reported = z.looseObject({ rounds: z.number(), models: z.number() });

export type Reported = z.infer<typeof reported>;

/** It is asked for, and left out, where the measurement is described. */
const optionsIn = (measure: unknown): object | undefined => {
  const { profile: wanted = true, threads } = Object(measure ?? {});
  if (wanted === false) return undefined;
  return threads === undefined ? {} : { threads };
};

/**
 * Where the time of every model goes and why it is not less: ONNX Runtime's own profile of the graph as it runs, and
 * times of the same graph with one thing changed, on one text of the middle length, on one thread.
 */
export const profile = defineStage({
  uses: 'profile',
  version: 5,
  summary: 'Where the time of every model goes, and what it would be with one thing changed.',
  config,
  place: 'all-models',
  automatic: { options: ({ measure }) => optionsIn(measure) },
  metrics: reported,
  makes: 'profile',
  draws: false,
  environment: 'machine',
  wire: (_, wiring) => ({ dataset: wiring.dataset() }),
  effort: (_, __, models) => ({ seconds: SECONDS_A_MODEL * models }),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
