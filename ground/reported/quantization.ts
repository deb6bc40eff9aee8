import { z } from 'zod';
import type { Immutable } from '../immutable.ts';
import { amount, count } from './numbers.ts';

const depth = z.string().exactOptional().describe('embeddings, layers.0, ... or head: left out where none is known.');

const storage = z.string().describe('int8, int4, ... or what floats it stays.');

const weight = z.looseObject({
  name: z.string().describe('In the fused graph.'),
  dims: z.array(amount),
  storage,
  reason: z.string().exactOptional().describe('Why it stays in floats.'),
  bytesBefore: amount,
  bytesAfter: amount,
  depth,
});

const drop = z.looseObject({
  estimate: z.number().describe("How much worse than the source, in the unit of the task's metric; positive is worse."),
  low: z.number().nullable(),
  high: z.number().nullable().describe('Of the paired 95 % interval; null where texts tell none.'),
});

const option = z.looseObject({
  storage,
  block: count.exactOptional().describe('Numbers that share a scale.'),
  bytes: z.number().describe('Of the file, beyond the first way of storing it.'),
  harm: z
    .number()
    .describe('What the model loses with this weight alone stored so: nats for classes, else 1 - cosine.'),
});

const site = z.looseObject({
  weight: z.string(),
  depth,
  storage,
  block: count.exactOptional(),
  harm: z.number(),
  why: z.string().describe('Why it is stored so.'),
  options: z.array(option).describe('How it may be stored, from the fewest bytes on.'),
});

const point = z.looseObject({
  bytes: amount,
  predicted: z.number().describe('By the sum of what each weight loses alone.'),
  drop: drop.exactOptional().describe('On held-out texts, where the file was made and judged.'),
});

const budget = z.looseObject({
  asked: z.looseObject({
    bytes: z.string().exactOptional(),
    maxDrop: z.union([z.string(), z.number()]).exactOptional(),
  }),
  whole: z.number().describe('What all weights in the fewest bytes lose together.'),
  predicted: z.number(),
  reached: z.number(),
  bytes: amount.describe('Of the file.'),
  sites: z.array(site),
  curve: z.array(point).describe('Harm against bytes, from the smallest file on.'),
  drop: drop
    .extend({ metric: z.string(), answers: count, of: z.string().describe('What texts these are.') })
    .exactOptional(),
});

const smoothing = z.looseObject({
  input: z.string(),
  alpha: z.number().describe('0 where nothing was evened out.'),
  error: z.number().describe('Squared error of its products in 8 bits, in parts of that before.'),
  outliers: z
    .array(amount)
    .describe('Numbers of a row that are more than ten times as large as most, the largest first.'),
});

const range = z.looseObject({
  input: z.string().describe('In the fused graph.'),
  low: z.number(),
  high: z.number(),
  clipped: z.number().describe('Share of its numbers on texts for calibration that lie beyond.'),
});

const layer = z.looseObject({
  layer: amount,
  mean: z.number().describe('Cosine between what it gives before and after, over the tokens of some texts.'),
  least: z.number(),
});

/** What became of the weights of a model, and what was found on the way. */
export const quantizationReport = z.looseObject({
  format: z.string(),
  quantized: amount,
  kept: amount,
  bytesBefore: amount,
  bytesAfter: amount,
  weights: z.array(weight).describe('Every matrix of the fused graph.'),
  smoothing: z.array(smoothing).exactOptional(),
  ranges: z
    .array(range)
    .exactOptional()
    .describe('What activations span in 8 bits, where that is known before the model runs.'),
  islands: z
    .record(z.string(), z.number())
    .exactOptional()
    .describe('Values that stay in float32, and how large they grow.'),
  layers: z.array(layer).exactOptional(),
  budget: budget.exactOptional(),
});

/** How far a quantized model is from its source on token ids drawn at random. */
export const deviationReport = z.looseObject({
  texts: count,
  meanCosine: z.number(),
  minCosine: z.number(),
  maxError: amount,
  outputRms: amount,
});

export type QuantizationReport = Immutable<z.infer<typeof quantizationReport>>;
