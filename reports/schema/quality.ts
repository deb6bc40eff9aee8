import { z } from 'zod';
import { bounds, figure, interval, openBounds } from './figures.ts';

const classScores = z.looseObject({
  label: z.string(),
  support: z.number().describe('Examples of the class.'),
  precision: z.number(),
  recall: z.number(),
  f1: z.number(),
  f1Interval: bounds,
});

/** Every figure of what a model made of the test split. */
export const quality = z.looseObject({
  metric: z
    .string()
    .describe('What the score is. Wherever a score stands, it stands under this name, too, and its interval likewise.'),
  score: figure.describe("The primary metric of the data's task."),
  scoreInterval: openBounds.describe('95 % interval.'),
  more: z
    .record(z.string(), z.looseObject({ value: figure, interval: openBounds.nullable() }))
    .describe(
      'Further metrics of the task by name; those of a mean alone have no interval. Each stands beside it, too.',
    ),
  examples: z.number().describe('Texts, or words.'),
  effectiveExamples: z
    .number()
    .exactOptional()
    .describe('Where words of one text are no independent examples: how many independent ones would say as much.'),
  classes: z.array(classScores).describe('Where each answer is one of some classes.'),
});

export const agreement = z.looseObject({
  top1: z.number().describe('Share of examples with the same answer as the reference.'),
  kl: figure.describe('KL(reference || stage), in nats.'),
});

export const difference = z.looseObject({ score: figure, low: figure, high: figure });

const flip = z.looseObject({
  id: z.number(),
  text: z.string(),
  label: z.string(),
  was: z.string(),
  now: z.string(),
  margin: z.number().describe('In nats: what the right model believes more of the true class than the wrong one.'),
});

/** A stage's model against another's on the same examples. */
export const comparison = z.looseObject({
  versus: z.string(),
  role: z.enum(['reference', 'previous']),
  score: z.looseObject({ estimate: figure, low: figure, high: figure }),
  mcnemar: z
    .looseObject({
      gained: z.number(),
      lost: z.number(),
      p: z.number(),
      method: z.enum(['mid-p', 'clustered']).describe('clustered: examples are words of texts.'),
    })
    .nullable()
    .describe('Null where answers are neither right nor wrong.'),
  agreement: z.number().nullable(),
  kl: z.number().nullable(),
  classes: z.array(z.looseObject({ label: z.string(), difference: interval })),
  flips: z.looseObject({ lost: z.array(flip), gained: z.array(flip) }),
});
