import { z } from 'zod';
import type { Dataset, Example } from '../../data/dataset.ts';
import { readDatasetArtifact } from '../../data/files.ts';
import { predict } from '../../engine/predict.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { stageError } from '../../ground/errors.ts';
import { readModelArtifact } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { isQuantized } from '../../models/quantized.ts';
import { defineStage } from '../stage.ts';
import { longest } from '../train/examples.ts';
import { writeTeacherOutputs } from './outputs.ts';

const config = z.strictObject({});

/** Every text that a student is trained on, and those that its epochs are chosen by where nothing but the teacher can. */
const taughtTexts = ({ task, train, unlabelled, validation }: Dataset): readonly Example[] =>
  task === 'features' ? [...train, ...unlabelled, ...validation] : [...train, ...unlabelled];

const expectTeacher = ({ info }: Model, { task }: Dataset): void => {
  if (info.task === task) return;
  if (info.task === 'features') throw stageError('the teacher gives features, not class scores: train it first');
  throw stageError(`the teacher is made for ${info.task}, the data for ${task}: train it on this data first`);
};

/** What a teacher says about every training text, labelled or not: computed once, without dropout, kept by text id. */
export const label = defineStage({
  uses: 'label',
  version: 4,
  summary: 'What a teacher says about every training text.',
  config,
  place: 'asked',
  metrics: z.looseObject({ texts: z.number(), words: z.number().exactOptional() }),
  makes: 'teacher-outputs',
  draws: false,
  wire: (_, wiring) => ({ dataset: wiring.dataset() }),
  run: async (inputs, _, ctx) => {
    const { model: modelInput, dataset: datasetInput } = inputs;
    if (modelInput === undefined || datasetInput === undefined) throw new Error('label needs a model and a dataset');
    const model = await readModelArtifact(modelInput.path);
    const dataset = await readDatasetArtifact(datasetInput.path);
    expectTeacher(model, dataset);
    const examples = taughtTexts(dataset);
    const { rows, answers } = await predict({
      model,
      texts: examples,
      maxLength: longest(dataset, model),
      threads: ctx.threads,
      batching: isQuantized(model.graph) ? 'single' : 'length',
      keep: 'largest',
      signal: ctx.signal,
      checkpoints: ctx.checkpoints,
      onProgress: (done, total) => ctx.progress({ done, total, unit: 'texts' }),
    });
    const folder = await ctx.output('teacher-outputs', 'teacher-outputs');
    const ids = Int32Array.from(examples, ({ id }) => id);
    await writeTeacherOutputs(folder, { classes: model.info.labels, ids, starts: answers.starts, rows });
    const { unit } = taskOf(dataset.task);
    return { texts: examples.length, ...(unit === 'words' ? { words: answers.starts.at(-1) ?? 0 } : {}) };
  },
});
