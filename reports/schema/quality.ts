import { z } from 'zod';
import { metrics } from '../../ground/metrics/index.ts';
import { amount, count, share } from '../../ground/reported/numbers.ts';
import { bounds, figure, interval, openBounds } from './figures.ts';

const classScores = z.looseObject({
  label: z.string(),
  support: count.describe('Examples of the class.'),
  precision: share,
  recall: share,
  f1: share,
  f1Interval: bounds,
});

/** What rounding of 32-bit floats may add to a cosine. */
const ROUNDING = 1e-6;

/** Whether a metric of that name can come to a figure; of a metric that nobody knows here, nothing is known. */
const isPossible = (name: string, figure: number): boolean => {
  const scale = metrics.find((metric) => metric.name === name)?.scale;
  if (scale === undefined || Number.isNaN(figure)) return true;
  const least = scale.gate.kind === 'rate' ? 0 : -scale.most;
  return figure >= least - ROUNDING && figure <= scale.most + ROUNDING;
};

const figures = z.looseObject({
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
  examples: count.describe('Texts, or words.'),
  effectiveExamples: amount
    .exactOptional()
    .describe('Where words of one text are no independent examples: how many independent ones would say as much.'),
  classes: z.array(classScores).describe('Where each answer is one of some classes.'),
  entities: z
    .array(classScores)
    .exactOptional()
    .describe('Where tags mark entities, these by type: both ends and the type are right.'),
});

/** Every figure of what a model made of the test split. */
export const quality = figures.superRefine(({ metric, score, more }, context) => {
  const beside = Object.entries(more).map(([name, { value }]) => [name, value] as const);
  for (const [name, value] of [[metric, score] as const, ...beside]) {
    if (isPossible(name, value)) continue;
    context.addIssue({
      code: 'custom',
      message: `${name} cannot be ${value}`,
      path: name === metric ? Object.keys({ score }) : ['more', name],
    });
  }
});

export const agreement = z.looseObject({
  top1: share.describe('Share of examples with the same answer as the reference.'),
  kl: figure.describe('KL(reference || stage), in nats.'),
});

export const difference = z.looseObject({ score: figure, low: figure, high: figure });

/** A stage's model against the strongest baseline on the same examples. */
export const overBaseline = z.looseObject({
  baseline: z.string().describe('Its name in data.baselines.'),
  score: z.looseObject({ estimate: figure, low: figure, high: figure }),
  paired: z
    .boolean()
    .describe("Whether both answered each example; else the interval is that of the model's own score alone."),
});

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
      gained: amount,
      lost: amount,
      p: share,
      method: z.enum(['mid-p', 'clustered']).describe('clustered: examples are words of texts.'),
    })
    .nullable()
    .describe('Null where answers are neither right nor wrong.'),
  agreement: share.nullable(),
  kl: z.number().nullable(),
  classes: z.array(z.looseObject({ label: z.string(), difference: interval })),
  flips: z.looseObject({ lost: z.array(flip), gained: z.array(flip) }),
});
