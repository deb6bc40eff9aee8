import type { Dataset } from '../../data/dataset.ts';
import { type DataConfig, load } from '../../data/datasets/index.ts';
import { writeDataset } from '../../data/files.ts';
import { dataTask } from '../../ground/tasks.ts';
import type { StageRun } from '../stage.ts';
import type { Reported } from './index.ts';
import { asStageError } from './index.ts';

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

export const run: StageRun<DataConfig, Reported> = async (_, config, ctx) => {
  const { dataset: made, duplicates, contradictions, dropped, remarks } = await loaded(config, ctx.base);
  if (duplicates > 0) {
    ctx.log(
      `${duplicates} repeated ${dataTask(made.task).words.inputs} were left out, ${contradictions} of them with another label than the first`,
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
};
