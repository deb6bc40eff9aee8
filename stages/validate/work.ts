import { readDatasetArtifact } from '../../data/files.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { readModelArtifact } from '../../models/files.ts';
import { writeAnswers } from '../evaluate/answers.ts';
import type { StageRun } from '../stage.ts';
import { encodeExamples } from '../train/examples.ts';
import type { Config, Reported } from './index.ts';

export const run: StageRun<Config, Reported> = async (inputs, _, ctx) => {
  if (inputs.model === undefined || inputs.dataset === undefined)
    throw new Error('validate needs a model and a dataset');
  const model = await readModelArtifact(inputs.model.path);
  const read = await readDatasetArtifact(inputs.dataset.path);
  const split = 'validation';
  const dataset = { ...read, test: read.validation };
  const { encoded, targets } = await encodeExamples(
    split,
    read.validation,
    { model, task: taskOf(read.task), dataset },
    ctx.signal,
  );
  const folder = await ctx.output('predictions', 'predictions');
  await writeAnswers(folder, { model, dataset, encoded, targets, split }, ctx);
  return { split };
};
