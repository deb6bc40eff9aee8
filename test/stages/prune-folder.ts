import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeDataset } from '../../data/files.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import type { Metrics } from '../../ground/json.ts';
import { readModel, writeModel } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { prune } from '../../stages/prune/index.ts';
import { dataset, trainedModel } from './prune-rig.ts';
import { artifactOf, contextIn } from './stage-rig.ts';

type Inputs = Readonly<Record<string, InputArtifact>>;

/** A folder with a trained model and the texts that it was trained on, where the prune stage runs. */
export interface PruneFolder {
  readonly folder: string;
  readonly model: Model;
  readonly inputs: Inputs;
  /** Another model as an input. */
  stored(name: string, one: Model): Promise<InputArtifact>;
  /** Runs the stage, on the trained model where no other inputs are given. */
  run(config: unknown, given?: Inputs): Promise<{ readonly model: Model; readonly metrics: Metrics }>;
  remove(): Promise<void>;
}

export const openPruneFolder = async (): Promise<PruneFolder> => {
  const folder = await mkdtemp(join(tmpdir(), 'decant-prune-'));
  const model = await trainedModel();
  const stored = async (name: string, one: Model): Promise<InputArtifact> => {
    await writeModel(join(folder, name), one);
    return artifactOf(join(folder, name), 'model');
  };
  await writeDataset(await contextIn(folder).output('dataset', 'dataset'), dataset);
  const inputs = { model: await stored('given', model), dataset: await artifactOf(join(folder, 'dataset'), 'dataset') };
  let runs = 0;
  return {
    ...{ folder, model, inputs, stored },
    run: async (config, given = inputs) => {
      const context = contextIn(join(folder, `run-${runs++}`), { seed: 1 });
      const metrics = await prune.run(given, prune.config.parse(config), context);
      return { model: await readModel(await context.output('model', 'model')), metrics };
    },
    remove: () => rm(folder, { recursive: true }),
  };
};
