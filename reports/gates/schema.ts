import { z } from 'zod';
import { type Gate, type GateReport, gateLimits } from './gate.ts';

export const gateSchema = z.looseObject({
  stage: z.string(),
  figure: z.string(),
  limit: z.enum(gateLimits),
  value: z.number(),
  versus: z.string().nullable(),
  confidence: z.number(),
  batch: z.number().nullable(),
  length: z.number().nullable(),
}) satisfies z.ZodType<Gate>;

export const gateReportSchema = gateSchema.extend({
  outcome: z.enum(['passed', 'failed', 'undecided']),
  found: z.looseObject({ estimate: z.number(), low: z.number(), high: z.number() }).nullable(),
  reason: z.string(),
}) satisfies z.ZodType<GateReport>;
