import { readDatasetArtifact } from '../../data/files.ts';
import { readModelArtifact, writeModel } from '../../models/files.ts';
import { readTeacherOutputs } from '../label/outputs.ts';
import type { StageRun } from '../stage.ts';
import type { Config, Reported } from './index.ts';
import { runDistillation } from './run.ts';

export const run: StageRun<Config, Reported> = async (inputs, options, ctx) => {
  const { model, dataset, teacher, 'teacher-outputs': outputs } = inputs;
  if (model === undefined || dataset === undefined) throw new Error('distill needs a model and a dataset');
  const { model: student, summary } = await runDistillation(
    {
      model: await readModelArtifact(model.path),
      dataset: await readDatasetArtifact(dataset.path),
      teacher: outputs === undefined ? undefined : await readTeacherOutputs(outputs.path),
      teacherModel: teacher === undefined ? undefined : await readModelArtifact(teacher.path),
      config: options,
    },
    ctx,
  );
  await writeModel(await ctx.output('model', 'model'), student);
  return { training: summary };
};
