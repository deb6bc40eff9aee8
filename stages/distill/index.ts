import { z } from 'zod';
import { readDatasetArtifact } from '../../data/files.ts';
import { trainingSummary } from '../../ground/reported/training.ts';
import { readModelArtifact, writeModel } from '../../models/files.ts';
import { readTeacherOutputs } from '../label/outputs.ts';
import { defineStage } from '../stage.ts';
import { distillationConfig } from './options.ts';
import { runDistillation } from './run.ts';
import { wireDistillation } from './wire.ts';

const config = z.strictObject({
  teacher: z.string().describe('id of the stage whose model is imitated'),
  ...distillationConfig,
});

/** Trains the model to say what a teacher says, on labelled and unlabelled texts alike. */
export const distill = defineStage({
  uses: 'distill',
  version: 3,
  summary: 'Trains a student to imitate a teacher on every training text, labelled or not.',
  config,
  place: 'named',
  metrics: z.looseObject({ training: trainingSummary }),
  makes: 'model',
  takes: { model: 'floats' },
  draws: true,
  wire: (options, wiring) => wireDistillation(options, wiring),
  run: async (inputs, options, ctx) => {
    const { model, dataset, teacher, 'teacher-outputs': outputs } = inputs;
    if (model === undefined || dataset === undefined || outputs === undefined) {
      throw new Error('distill needs a model, a dataset and teacher outputs');
    }
    const { model: student, summary } = await runDistillation(
      {
        model: await readModelArtifact(model.path),
        dataset: await readDatasetArtifact(dataset.path),
        teacher: await readTeacherOutputs(outputs.path),
        teacherModel: teacher === undefined ? undefined : await readModelArtifact(teacher.path),
        config: options,
      },
      ctx,
    );
    await writeModel(await ctx.output('model', 'model'), student);
    return { training: summary };
  },
});
