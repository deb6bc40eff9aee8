import { z } from 'zod';
import { count, share } from '../../ground/reported/numbers.ts';

const cell = z.looseObject({
  label: z.string().nullable().describe('The true class; null where a set has it not.'),
  said: z.string().nullable().describe('The class that was said; null for none.'),
  count,
});

const mistake = z.looseObject({
  id: z.number(),
  text: z.string(),
  label: z.string().describe('What is true, as tables show it.'),
  said: z.string(),
  confidence: share.nullable().describe('Probability of what was said; null where answers are numbers.'),
  error: z.number().nullable().describe('What was said minus what is true; null where answers are classes.'),
});

const bin = z.looseObject({
  low: share,
  high: share,
  count,
  confidence: share.describe('Mean probability that the model gave its answers.'),
  right: share.describe('Share of them that are right.'),
});

/** What one model answered, beyond its figures. */
export const answers = z.looseObject({
  stage: z.string(),
  confusion: z.array(cell).describe('Cells of the confusion matrix that have examples, the largest first.'),
  leftOut: count.describe('Examples in further cells, where there are very many.'),
  mistakes: z.array(mistake).describe('The wrong answers that the model was surest of, or that are furthest off.'),
  reliability: z
    .array(bin)
    .describe('Answers by the probability that the model gave them; bins without any are left out.'),
  scatter: z
    .array(z.looseObject({ said: z.number(), truth: z.number() }))
    .describe('Answers that are numbers, evenly chosen where there are many.'),
});
