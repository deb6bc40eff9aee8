import { readDatasetArtifact } from '../../data/files.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { readModelArtifact, writeModel } from '../../models/files.ts';
import { readTeacherOutputs } from '../label/outputs.ts';
import type { StageRun, TrainingOfRun } from '../stage.ts';
import { drawnAnew } from '../train/seed.ts';
import type { Config, Reported } from './index.ts';
import { readLooked } from './read-looked.ts';
import { type DistillationJob, distillationOf, runDistillation } from './run.ts';
import { saidBy } from './select/candidates.ts';

const jobOf = async (
  inputs: Readonly<Record<string, InputArtifact>>,
  { seed: _, ...config }: Config,
): Promise<DistillationJob> => {
  const { model, dataset, 'teacher-outputs': outputs } = inputs;
  if (model === undefined || dataset === undefined) throw new Error('distill needs a model and a dataset');
  return {
    model: await readModelArtifact(model.path),
    dataset: await readDatasetArtifact(dataset.path),
    teacher: outputs === undefined ? undefined : await readTeacherOutputs(outputs.path),
    teachers: await readLooked(config, inputs),
    ...{ config, rewordings: inputs.rewordings, said: await saidBy(inputs) },
  };
};

export const training: TrainingOfRun<Config> = async (inputs, options, ctx) =>
  distillationOf(await jobOf(inputs, options), drawnAnew(ctx, options.seed));

export const run: StageRun<Config, Reported> = async (inputs, options, ctx) => {
  const { model: student, summary } = await runDistillation(await jobOf(inputs, options), drawnAnew(ctx, options.seed));
  await writeModel(await ctx.output('model', 'model'), student);
  return { training: summary };
};
