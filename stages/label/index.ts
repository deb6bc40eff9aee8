import { z } from 'zod';
import type { Dataset, DatasetTask, Example } from '../../data/dataset.ts';
import { readDatasetArtifact } from '../../data/files.ts';
import { predict } from '../../engine/predict.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { stageError } from '../../ground/errors.ts';
import { readModelArtifact } from '../../models/files.ts';
import type { Model, TaskName } from '../../models/model.ts';
import { isQuantized } from '../../models/quantized.ts';
import { defineStage } from '../stage.ts';
import { calledIn, longest } from '../train/examples.ts';
import { writeTeacherOutputs } from './outputs.ts';

const config = z.strictObject({});

/** Every text that a student is trained on, and those that its epochs are chosen by where nothing but the teacher can. */
const taughtTexts = ({ task, train, unlabelled, validation }: Dataset): readonly Example[] =>
  task === 'features' ? [...train, ...unlabelled, ...validation] : [...train, ...unlabelled];

/** Why a model cannot teach; undefined where it can. */
const teacherProblem = (made: TaskName, task: DatasetTask): string | undefined => {
  if (made === task) return undefined;
  if (made === 'features') return 'the teacher gives features, not class scores: train it first';
  return `the teacher is made for ${made}, the data for ${task}: train it on this data first`;
};

const expectTeacher = ({ info }: Model, { task }: Dataset): void => {
  const problem = teacherProblem(info.task, task);
  if (problem !== undefined) throw stageError(problem);
};

/** What a teacher says about every training text, labelled or not: computed once, without dropout, kept by text id. */
export const label = defineStage({
  uses: 'label',
  version: 4,
  summary: 'What a teacher says about every training text.',
  config,
  internal: true,
  makes: 'teacher-outputs',
  draws: false,
  wire: (_, wiring) => ({ dataset: wiring.dataset() }),
  foresee: (_, { models: { model }, data }) => {
    const problem = model?.task === undefined || data === undefined ? undefined : teacherProblem(model.task, data.task);
    return { model, problems: problem === undefined ? [] : [{ path: [], message: problem }] };
  },
  run: async (inputs, _, ctx) => {
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
      threads: ctx.threads,
      batching: isQuantized(model.graph) ? 'single' : 'length',
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
  },
});
