import { readDatasetArtifact } from '../../data/files.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { readModelArtifact, writeModel } from '../../models/files.ts';
import { readTeacherOutputs } from '../label/outputs.ts';
import type { StageRun, TrainingOfRun } from '../stage.ts';
import { drawnAnew } from '../train/seed.ts';
import type { Config, Reported } from './index.ts';
import { type DistillationJob, distillationOf, runDistillation } from './run.ts';
import { saidBy } from './select/candidates.ts';

const jobOf = async (
  { model, dataset, teacher, 'teacher-outputs': outputs, ...others }: Readonly<Record<string, InputArtifact>>,
  { seed: _, ...config }: Config,
): Promise<DistillationJob> => {
  if (model === undefined || dataset === undefined) throw new Error('distill needs a model and a dataset');
  return {
    model: await readModelArtifact(model.path),
    dataset: await readDatasetArtifact(dataset.path),
    teacher: outputs === undefined ? undefined : await readTeacherOutputs(outputs.path),
    teacherModel: teacher === undefined ? undefined : await readModelArtifact(teacher.path),
    ...{ config, rewordings: others.rewordings, said: await saidBy(others) },
  };
};

export const training: TrainingOfRun<Config> = async (inputs, options, ctx) =>
  distillationOf(await jobOf(inputs, options), drawnAnew(ctx, options.seed));

export const run: StageRun<Config, Reported> = async (inputs, options, ctx) => {
  const { model: student, summary } = await runDistillation(await jobOf(inputs, options), drawnAnew(ctx, options.seed));
  await writeModel(await ctx.output('model', 'model'), student);
  return { training: summary };
};
