import { z } from 'zod';
import { amount, count, share } from '../../ground/reported/numbers.ts';

/** Kernel time of one run. */
export const time = z.looseObject({
  totalMs: amount,
  operators: z.array(z.looseObject({ op: z.string(), ms: z.number(), count })),
  layers: z.array(z.looseObject({ layer: z.string(), ms: z.number() })),
});

/** Why a stage is not faster. */
export const cause = z.looseObject({
  name: z.string(),
  about: z.enum(['time', 'bytes']).default('time'),
  finding: z.string(),
  evidence: z.string(),
  advice: z.string(),
  share: share.nullable().describe('Of the time or bytes it is about, 0 to 1; null where it was not measured.'),
});

/** Time against MACs, beside the reference. Milliseconds at batch 1, the median length, one thread, from paired rounds. */
export const gap = z.looseObject({
  versus: z.string(),
  macRatio: amount.describe("MACs of the reference over this stage's."),
  timeRatio: amount.describe("Time of the reference over this stage's."),
  ms: z.number(),
  expectedMs: z.number().describe("The reference's time over the MAC ratio."),
  gapMs: z.number().describe('ms - expectedMs.'),
  parts: z
    .array(z.looseObject({ name: z.string(), ms: z.number(), expectedMs: z.number() }))
    .describe("Each part's time, and the reference's over the MAC ratio: the differences split the gap."),
  unexplainedMs: z.number(),
  explained: z.number().nullable().describe('1 - |unexplainedMs| / |gapMs|; null where there is no gap to explain.'),
});
