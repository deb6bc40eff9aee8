import { z } from 'zod';
import type { Immutable } from '../immutable.ts';
import { datasetTasks, usualTask } from '../tasks.ts';
import { amount, count, share } from './numbers.ts';
import { scored } from './score.ts';

/** How many texts there are of what, and for what. */
export const dataFigures = {
  task: z
    .enum(datasetTasks)
    .default(usualTask)
    .describe('What models are for. It decides what every score in the report is.'),
  train: count,
  unlabelled: count,
  validation: count,
  test: count,
  classes: z.array(z.string()),
  remarks: z
    .array(z.string())
    .default([])
    .describe('What to know of the texts before believing figures on them: classes that a split lacks, rows left out.'),
};

/** What reading the data leaves for the report. */
export const datasetMetrics = z.looseObject({
  ...dataFigures,
  dropped: count.default(0).describe('Rows without a text or a label.'),
});

/** A model that is no Transformer, by the score that others have to beat. */
export const baselineFigures = z.looseObject({
  score: z.number().nullable().describe('Null where it is no number: what says the same of all has ranked nothing.'),
  more: z.record(z.string(), z.number()).exactOptional().describe('Further metrics of the task by name.'),
  called: z.string().exactOptional().describe('As tables call it.'),
  predicted: z
    .boolean()
    .exactOptional()
    .describe('Whether its answers were kept, so that models are compared with it pair by pair.'),
  always: z
    .union([z.int(), z.array(z.int())])
    .exactOptional()
    .describe('The class that it says of everything, by its number; a list of them where answers are sets.'),
  bytes: count
    .exactOptional()
    .describe(
      'What a deployment of it would keep: the UTF-8 bytes of its terms or words, and 4 bytes for each weight (zeros too), constant, number of a class and frequency of a term or token. Hashed terms have no names but numbers of 4 bytes. Names of classes and what a file format adds are not counted.',
    ),
  msPerText: amount
    .exactOptional()
    .describe(
      'Milliseconds from one text to its answer, splitting included: the median over test texts, one after the other, in JavaScript. Absent where the answer hangs on no text.',
    ),
  waited: share
    .exactOptional()
    .describe('Share of that measurement in which the process had no processor, since other work did.'),
});

/** Baselines by name; none where there is nothing to compare with. */
export const baselineMetrics = z.record(z.string(), scored(baselineFigures));

export type DatasetMetrics = Immutable<z.infer<typeof datasetMetrics>>;
export type BaselineMetrics = Immutable<z.infer<typeof baselineMetrics>>;
