import { z } from 'zod';
import type { Dataset } from '../../data/dataset.ts';
import { type DataConfig, dataSchema, load, sources } from '../../data/datasets/index.ts';
import { writeDataset } from '../../data/files.ts';
import { isUserError, stageError } from '../../ground/errors.ts';
import { datasetMetrics } from '../../ground/reported/data.ts';
import { defineStage } from '../stage.ts';

const asStageError = (error: unknown): unknown =>
  isUserError(error, 'data') ? stageError(error.message, { cause: error }) : error;

/** A mistake in the user's data is theirs to mend: no stack trace. */
const loaded = async (config: DataConfig, base: string) => {
  try {
    return await load(config, base);
  } catch (error) {
    throw asStageError(error);
  }
};

const averageWords = ({ train, unlabelled, validation, test }: Dataset): number => {
  const texts = [...train, ...unlabelled, ...validation, ...test];
  const words = texts.reduce((sum, { text, pair = '' }) => sum + `${text} ${pair}`.trim().split(/\s+/).length, 0);
  return Math.round((words / texts.length) * 10) / 10;
};

const filesOf = (config: DataConfig, base: string): readonly string[] => {
  try {
    return sources(config, base);
  } catch (error) {
    throw asStageError(error);
  }
};

/** The `data:` section as a step: reads, checks and splits the texts once for all stages. */
export const dataset = defineStage({
  uses: 'dataset',
  version: 4,
  summary: 'Reads the texts and splits them into training, validation and test.',
  config: dataSchema,
  place: 'data',
  automatic: { options: ({ data = {} }) => data },
  metrics: datasetMetrics.extend({
    maxLength: z.number(),
    averageWords: z.number(),
    duplicates: z.number(),
    contradictions: z.number(),
  }),
  makes: 'dataset',
  draws: false,
  environment: 'none',
  from: [],
  wire: () => ({}),
  sources: filesOf,
  run: async (_, config, ctx) => {
    const { dataset: made, duplicates, contradictions, dropped, remarks } = await loaded(config, ctx.base);
    if (duplicates > 0) {
      ctx.log(
        `${duplicates} repeated texts were left out, ${contradictions} of them with another label than the first`,
      );
    }
    if (dropped > 0) ctx.log(`${dropped} rows without a text or a label were left out`);
    for (const remark of remarks) ctx.log(remark);
    await writeDataset(await ctx.output('dataset', 'dataset'), made);
    return {
      train: made.train.length,
      unlabelled: made.unlabelled.length,
      validation: made.validation.length,
      test: made.test.length,
      task: made.task,
      classes: made.classes,
      maxLength: made.maxLength,
      averageWords: averageWords(made),
      duplicates,
      contradictions,
      dropped,
      remarks,
    };
  },
});
