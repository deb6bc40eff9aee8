import { z } from 'zod';
import type { Json } from '../../ground/json.ts';
import { count } from '../../ground/reported/numbers.ts';
import { datasetTasks } from '../../ground/tasks.ts';
import { figure, openBounds } from '../schema/figures.ts';

const json: z.ZodType<Json> = z.json();

const change = z.looseObject({ key: z.string(), before: json, after: json });

const quality = z.looseObject({
  score: figure.describe('Mean over the seeds.'),
  interval: openBounds.describe('95 % interval: over texts, and over seeds where there are several.'),
  values: z.array(figure).describe("One a seed, in the seeds' order."),
});

const latency = z.looseObject({
  batch: count,
  length: count,
  p50Ms: figure,
  interval: openBounds,
  busy: z.boolean().describe('Whether it may be too long, since other work had the processor.'),
});

const stage = z.looseObject({
  id: z.string(),
  uses: z.string(),
  sameAs: z
    .string()
    .exactOptional()
    .describe('An earlier recipe whose model of that stage is the same, byte for byte, for every seed.'),
  quality: quality.nullable().describe('Null where the stage was not evaluated.'),
  bytes: figure.nullable().describe("Size of the model: that of the first seed's."),
  gzipBytes: figure.nullable(),
  latency: latency.nullable().describe("The first batch and length that were measured, in the first seed's run."),
});

const recipe = z.looseObject({
  id: z.string(),
  where: z.string().describe('Folder or file of its report; of variants below the folder of the comparison.'),
  seeds: z.array(z.number()),
  overrides: z.array(z.string()).describe('The --set values, and those of the variant, on top of its file.'),
  changes: z.array(change).describe("Options of stages that are not the first recipe's, by STAGE.OPTION."),
  validation: z
    .array(figure)
    .nullable()
    .describe('What decides, of the compared stage on the validation texts, one a seed; null where nobody asked.'),
  stages: z.array(stage),
});

const test = z.looseObject({
  recipe: z.string(),
  versus: z.string(),
  difference: z
    .looseObject({ estimate: figure, low: figure, high: figure })
    .describe('The recipe minus the other one (of latency, divided by it), with an interval corrected by Holm.'),
  p: z.number().describe('Two-sided, not corrected.'),
  adjusted: z.number().describe('The same corrected for the number of comparisons: below 0.05 it is no chance.'),
  verdict: z.enum(['better', 'worse', 'chance']),
  paired: z.boolean().describe('Whether both answered the same texts.'),
  seeds: count.describe('Seeds that both were run with, or as many of each.'),
  flips: z
    .looseObject({ gained: count, lost: count })
    .nullable()
    .describe('Examples that only the recipe, and only the other one, got right, over all seeds.'),
});

/** What several recipes of one pipeline come to, side by side. */
export const comparisonSchema = z.looseObject({
  schema: z.literal('decant.comparison/1'),
  name: z.string(),
  task: z.enum(datasetTasks).describe('What the data is for.'),
  by: z.string().describe('The figure that decides: a metric of the task, or p50.'),
  on: z.enum(['test', 'validation']).describe('The texts that all figures of quality, and all tests, are of.'),
  stage: z.string().describe('The stage whose models are compared.'),
  baseline: z
    .string()
    .nullable()
    .describe('The recipe that the others are compared with; null where each is with each.'),
  recipes: z.array(recipe).describe('In the order of the file, or as they were named.'),
  comparisons: z.array(test),
  chosen: z
    .string()
    .nullable()
    .describe('The best recipe on the validation texts: the one to use. Null where they decide nothing.'),
  refusals: z
    .array(z.looseObject({ recipe: z.string(), versus: z.string(), reason: z.string() }))
    .describe('What was not compared, and why.'),
  missing: z.array(z.string()).describe('Variants of the file that have no report.'),
});

/** JSON Schema of comparison.json, for tools that read it. */
export const comparisonJsonSchema = (): Record<string, unknown> => {
  const { $schema, ...rest } = z.toJSONSchema(comparisonSchema, { io: 'input' });
  return { $schema, $id: 'urn:decant.comparison:1', title: 'decant comparison', ...rest };
};
