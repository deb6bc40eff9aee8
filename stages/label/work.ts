import type { Dataset, Example } from '../../data/dataset.ts';
import { readDatasetArtifact } from '../../data/files.ts';
import { predict } from '../../engine/predict.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { stageError } from '../../ground/errors.ts';
import { dataTask } from '../../ground/tasks.ts';
import { readModelArtifact } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { batchingOf } from '../../models/quantized.ts';
import type { StageRun } from '../stage.ts';
import { calledIn, longest } from '../train/examples.ts';
import type { Reported } from './index.ts';
import { teacherProblem } from './index.ts';
import { writeTeacherOutputs } from './outputs.ts';

/** Every text that a student is trained on, and those that its epochs are chosen by where nothing but the teacher can. */
const taughtTexts = ({ task, train, unlabelled, validation }: Dataset): readonly Example[] =>
  dataTask(task).truth === 'teacher' ? [...train, ...unlabelled, ...validation] : [...train, ...unlabelled];

const expectTeacher = ({ info }: Model, { task }: Dataset): void => {
  const problem = teacherProblem(info.task, task);
  if (problem !== undefined) throw stageError(problem);
};

export const run: StageRun<unknown, Reported> = async (inputs, _, ctx) => {
  const { model: modelInput, dataset: datasetInput } = inputs;
  if (modelInput === undefined || datasetInput === undefined) throw new Error('label needs a model and a dataset');
  const model = await readModelArtifact(modelInput.path);
  const dataset = await readDatasetArtifact(datasetInput.path);
  expectTeacher(model, dataset);
  const examples = taughtTexts(dataset);
  const task = taskOf(dataset.task);
  const { rows, answers } = await predict({
    ...{ model, task },
    examples: await task.encode(model, examples, longest(dataset, model), ctx.signal),
    engine: await ctx.engine(),
    threads: ctx.threads,
    batching: batchingOf(model.graph),
    keep: 'largest',
    called: calledIn('training', examples),
    signal: ctx.signal,
    checkpoints: ctx.checkpoints,
    onProgress: (done, total) => ctx.progress({ done, total, unit: 'texts' }),
  });
  const folder = await ctx.output('teacher-outputs', 'teacher-outputs');
  const ids = Int32Array.from(examples, ({ id }) => id);
  await writeTeacherOutputs(folder, { classes: model.info.labels, ids, starts: answers.starts, rows });
  return { texts: examples.length, ...(task.unit === 'words' ? { words: answers.starts.at(-1) ?? 0 } : {}) };
};
