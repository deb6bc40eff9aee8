import { z } from 'zod';
import type { Immutable } from '../immutable.ts';
import { baselineMetrics } from './data.ts';
import { amount, count } from './numbers.ts';
import { withField } from './score.ts';

import { notes } from './stage.ts';

const compressed = { gzipBytes: count, zstdBytes: count.exactOptional() };

/** What zeros save where a file is compressed; zstd where the Node that evaluated has it. */
const zeroSavings = z.looseObject({
  share: z.number().describe('Zeros among the numbers of matrices that have many.'),
  matrices: count.describe('How many have.'),
  ...compressed,
  dense: z.looseObject(compressed).describe('The same file with other numbers in place of these zeros.'),
});
export type ZeroSavings = Immutable<z.infer<typeof zeroSavings>>;

/** What a model is by itself. */
export const modelFigures = {
  gzipBytes: count,
  brotliBytes: count,
  parameters: count.describe('Numbers in the weights.'),
  nonzero: count.describe('Those of them that are not 0.'),
  macs: count.describe('Multiply-accumulates of one text of `macsLength` tokens at batch 1.'),
  macsLength: amount,
  zeros: zeroSavings.exactOptional(),
};

export const dimensions = z.record(z.string(), z.number());

/** The test texts as transformers.js reads them, by its own tokenizer. */
export const clientTexts = z.looseObject({
  differing: count.describe('Test texts that become other tokens there.'),
  cut: count.describe('Those of them that are only cut otherwise.'),
  texts: count.describe('All that were compared.'),
  first: z.looseObject({ text: z.string(), tokens: z.array(z.string()), client: z.array(z.string()) }).nullable(),
  settings: z.array(z.string()).describe('Settings of tokenizer.json that it does not carry out.'),
});

const clientFigures = clientTexts.extend({
  scoreChange: z.number().nullable().describe('What that adds to the score; null where it is not known.'),
});

/** How a decoder goes on. */
export const writtenSample = z.looseObject({
  prompt: z.string().describe('The beginning of a test text.'),
  text: z
    .string()
    .describe(
      'What the model wrote behind it, drawn at a temperature of 0.8 from the most probable 95 %; or its answer to a text that has a right one, the most probable token each time.',
    ),
});
export type WrittenSample = Immutable<z.infer<typeof writtenSample>>;

/** What the evaluation of a model leaves for the report besides its answers. */
export const evaluationMetrics = z.looseObject({
  lengths: z.looseObject({ median: z.number(), p95: z.number() }),
  figures: z.looseObject(modelFigures),
  dimensions,
  /** What reads nothing and knows the model's tokens. */
  baselines: baselineMetrics.exactOptional(),
  client: z.preprocess((value) => withField(value, 'scoreChange', 'accuracyChange'), clientFigures).exactOptional(),
  sample: writtenSample.exactOptional(),
  notes,
});

export type ClientFigures = Immutable<z.infer<typeof clientFigures>>;
export type EvaluationMetrics = Immutable<z.infer<typeof evaluationMetrics>>;
