import { z } from 'zod';

const spread = z
  .looseObject({
    mean: z.number(),
    deviation: z.number().nullable(),
    worst: z.number(),
    worstSeed: z.number(),
    values: z.array(z.number().nullable()),
  })
  .nullable();

/** One stage over seeds: fields are called, and in units, as in `stages`; null where no run has the figure. */
const stage = z.looseObject({
  id: z.string(),
  score: spread,
  more: z.record(z.string(), spread),
  difference: spread.describe("Score minus the reference's of the same seed."),
  agreement: z.looseObject({ top1: spread, kl: spread }),
  bytes: spread,
  gzipBytes: spread,
  latency: z
    .array(z.looseObject({ batch: z.number(), length: z.number(), p50Ms: spread, speedup: spread }))
    .describe("Speed-ups are paired inside of each seed's own measurement."),
});

/** What several seeds say together. */
export const seeds = z.looseObject({
  list: z.array(z.number()).describe("Seeds whose runs have a report, in the file's order."),
  seconds: z.array(z.number()).describe("Wall-clock seconds of each seed's run."),
  stages: z.array(stage),
});
