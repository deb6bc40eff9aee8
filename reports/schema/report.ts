import { z } from 'zod';
import { baselineFigures, dataFigures } from '../../ground/reported/data.ts';
import { amount, count } from '../../ground/reported/numbers.ts';
import { gateReportSchema } from '../gates/schema.ts';
import { answers } from './answers.ts';
import { openBounds } from './figures.ts';
import { measurement } from './latency.ts';
import { difference } from './quality.ts';
import { seeds } from './seeds.ts';
import { stage } from './stage.ts';

const pipeline = z.looseObject({
  yaml: z.string().describe('The exact file.'),
  overrides: z.array(z.string()).describe('The --set values on top of it.'),
  until: z.string().exactOptional().describe('The stage that --until named, after which the others were left out.'),
});

const environment = z.looseObject({
  cpu: z.string(),
  cpuFlags: z.array(z.string()),
  threads: count,
  node: z.string(),
  onnxruntime: z.string(),
  decant: z.string(),
});

const baseline = baselineFigures
  .pick({ score: true, more: true, called: true, bytes: true, msPerText: true })
  .required({ called: true })
  .extend({
    scoreInterval: openBounds.nullable().default(null).describe('95 % interval; null where its answers were not kept.'),
    difference: difference.nullable().default(null).describe("Score minus the reference's, paired."),
    busy: z
      .boolean()
      .exactOptional()
      .describe('Whether `msPerText` may be too long, since other work had the processor.'),
  })
  .loose();

const data = z.looseObject({
  uses: z.string(),
  name: z.string().exactOptional().describe('What people call it: its files or folders, or what decant reads it with.'),
  ...dataFigures,
  baselines: z
    .record(z.string(), baseline)
    .nullable()
    .describe('What is to be beaten, on the same test split; null when the run ended before that was computed.'),
});

const unfinished = z.looseObject({
  step: z.string().nullable().describe('The step that failed; null where --until ended the run.'),
  message: z.string().nullable().describe('Why it failed.'),
  missing: z
    .array(z.string())
    .describe('What the file asks for and the run has not: stages, steps over all models, further seeds.'),
});

const cost = z.looseObject({
  training: amount,
  evaluation: amount,
  measurement: amount,
  other: amount,
  overhead: z.number().describe('What no step accounts for: starting processes, hashing, writing reports.'),
});

/**
 * report.json as other tools read it. Fields may be added; those that are here keep their names and units. Rates are 0 to 1,
 * losses and divergences in nats, sizes in bytes.
 */
export const reportSchema = z.looseObject({
  schema: z.literal('decant.report/1'),
  name: z.string(),
  created: z.string().describe('When the run ended, ISO 8601.'),
  unfinished: unfinished
    .exactOptional()
    .describe('Where the run has not all that its file asks for; absent in a whole one.'),
  seed: z.number(),
  pipeline,
  environment,
  data,
  reference: z
    .string()
    .nullable()
    .describe('Stage that the others are compared with: the first whose model does what the data is for.'),
  measurement: measurement.nullable().describe('How latency was measured, where the run got so far.'),
  cost: cost.describe('Wall-clock seconds of this run by what they went to.'),
  stages: z.array(stage),
  answers: answers
    .nullable()
    .default(null)
    .describe('What the model that ships answered; null where answers are neither classes nor numbers.'),
  gates: z
    .array(gateReportSchema)
    .default([])
    .describe('Limits of the file, judged: see decant diff for those against another run.'),
  seconds: amount.describe(
    'Wall-clock seconds of this run (cached parts cost what they cost now, not what they once cost).',
  ),
  seeds: seeds
    .exactOptional()
    .describe('What several seeds say together; all else is of the first of them. Absent in a run of one seed.'),
  checksum: z
    .string()
    .exactOptional()
    .describe('sha256 of all the rest, as canonical JSON: tells a report that was changed by accident.'),
});
