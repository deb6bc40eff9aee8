import { z } from 'zod';
import type { Immutable } from '../immutable.ts';
import type { Json } from '../json.ts';
import { metrics } from '../metrics/index.ts';
import { amount, count, share } from './numbers.ts';
import { scored, withScore } from './score.ts';

/** One point of what training looked like on the way. */
export const curvePoint = z.looseObject({
  step: amount.describe('Updates done.'),
  epoch: amount.describe('With its fraction.'),
  loss: z.number().describe('Mean training loss since the point before.'),
  terms: z
    .record(z.string(), z.number())
    .exactOptional()
    .describe('The mean of each loss that it is the sum of, by name, where there are several.'),
  score: z.number().exactOptional().describe('The metric on validation texts, where an epoch ended.'),
});

/** The name of a metric that scores of training are of. */
export const metricName = z
  .string()
  .refine((name) => metrics.some((metric) => metric.name === name), { error: 'expected the name of a metric' })
  .describe('What scores on validation texts are: a stage may train for another task than that of the data.');

/** What training leaves for the report. */
export const trainingSummary = z.looseObject({
  steps: count,
  epochs: amount,
  tokensPerSecond: amount,
  paddingFraction: share,
  metric: metricName.exactOptional().describe('Earlier versions did not say it.'),
  curve: z.array(scored(curvePoint)),
  best: scored(z.looseObject({ epoch: amount, score: z.number() }))
    .nullable()
    .describe('Epoch with the best score on validation texts, counted from 1; null without such texts.'),
  trainedParameters: count,
  leftOut: count
    .exactOptional()
    .describe(
      'Updates without an effect, since a gradient was beyond float16; absent where training computes in float32.',
    ),
  heldZeros: count
    .exactOptional()
    .describe('Weights that were zero when training began and stayed so, since pruning made them zero.'),
  selected: z
    .looseObject({ texts: count, of: count, by: z.string() })
    .exactOptional()
    .describe('How many of how many texts without labels were taken, and by what they were chosen.'),
  seconds: z.number().describe('Spent in updates, validation not included.'),
});

export type TrainingSummary = Immutable<z.infer<typeof trainingSummary>>;

/** The progress of a checkpoint, whatever version saved it. */
export const withFormerScores = (progress: { readonly [key: string]: Json }): { readonly [key: string]: unknown } => ({
  ...progress,
  best: withScore(progress.best),
  curve: Array.isArray(progress.curve) ? progress.curve.map((point) => withScore(point)) : [],
});
