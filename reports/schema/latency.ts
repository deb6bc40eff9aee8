import { z } from 'zod';
import { amount, count, share } from '../../ground/reported/numbers.ts';
import { bounds, figure, interval } from './figures.ts';

export const latency = z.looseObject({
  batch: count,
  length: count,
  threads: count,
  busy: z
    .boolean()
    .default(false)
    .describe(
      'Whether other work had the processor in half of the turns of this model, or of the reference, or their rounds are too far apart: then there is no speed-up, and times are what the clock said.',
    ),
  p50Ms: amount,
  p90Ms: amount,
  p95Ms: amount,
  p99Ms: amount,
  p50Interval: bounds,
  p90Interval: bounds.nullable().default(null),
  p95Interval: bounds.nullable().default(null),
  p99Interval: bounds.nullable().default(null),
  runs: amount,
  speedup: amount.nullable().describe('p50 of the reference over p50 of this stage, from paired rounds.'),
  speedupInterval: bounds.nullable(),
  textsPerSecond: figure,
  relative: interval.nullable().describe('p50 over the reference kernel of the same round; null where none was timed.'),
});

/** Medians over fresh processes that load one file and run it once. */
export const loading = z.looseObject({
  sessionMs: amount,
  firstRunMs: amount,
  peakBytes: amount.describe('Of the whole process, Node and the runtime included.'),
  processes: count.nullable().default(null),
  busy: z.boolean().default(false).describe('Whether other work had the processor for long meanwhile.'),
});

const load = z.looseObject({
  busy: z.boolean().describe('Whether it was too much for some figures.'),
  disturbed: share.describe('Share of all turns that were disturbed.'),
  waited: amount.describe('Share of the time in which other work had the processor.'),
  average: z
    .tuple([z.number(), z.number()])
    .nullable()
    .describe('Processes that wanted to run, before and after; null where the system does not count them.'),
  stolen: share
    .nullable()
    .describe("Share of the machine's time that its host gave to others; null where the system does not tell."),
  switches: amount.describe('How often the measuring processes were made to leave their processor.'),
});

/** An engine and the device behind it, as its driver calls it. */
const measuredOn = z.looseObject({
  engine: z.string().regex(/^[a-z][a-z0-9-]*$/),
  device: z.string(),
  driver: z.string().exactOptional(),
  versions: z.record(z.string(), z.string()).describe('Of what computes there.'),
});

const onEngine = z.looseObject({
  rounds: count,
  threads: count,
  processes: count,
  load: load
    .nullable()
    .default(null)
    .describe('What other work took while models were timed; beside a device, what it took of the processor.'),
  referenceKernel: z.looseObject({ name: z.string(), p50Ms: amount }).nullable(),
  drift: z
    .looseObject({ ratio: amount, flagged: z.boolean() })
    .nullable()
    .describe('Slowest over quickest stretch of the measurement.'),
  warmUp: z
    .looseObject({ medianRuns: amount, mostRuns: amount, unsettledShare: share })
    .nullable()
    .default(null)
    .describe(
      'Runs of one model before its first round, and the share of them that ended at a limit, not because it was stable.',
    ),
  runtimePeakBytes: amount
    .nullable()
    .default(null)
    .describe("Peak memory of a process that runs a graph of one node: what is left of a model's is its own."),
});

/** How latency was measured. */
export const measurement = onEngine.extend({
  on: measuredOn
    .exactOptional()
    .describe('What latencies, speed-ups and gates are of, where that is not the CPU of the environment.'),
  otherEngines: z
    .array(onEngine.extend({ on: measuredOn }))
    .exactOptional()
    .describe('The same of each further engine; figures of two engines are no pairs.'),
});

/** Why an engine has no latency of a model. */
export const lacking = z
  .array(z.string())
  .exactOptional()
  .describe('Operators that the engine has no kernel for: the model was not timed there.');

/** A stage on an engine beside the first. */
export const otherEngine = z.looseObject({
  engine: measuredOn.shape.engine,
  latency: z.array(latency),
  loading: loading.nullable(),
  lacking,
});
