import { clientLimits } from '../../data/tokenizers/client-limits.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { readModelArtifact } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { type Precision, precisions } from '../../models/precision.ts';
import { clientSettingsNote } from '../evaluate/client-notes.ts';
import type { StageRun } from '../stage.ts';
import { exportModels, type Models } from './folder.ts';
import type { Config, Reported } from './index.ts';
import { RESULTS_PLACEHOLDER } from './placeholder.ts';
import { browserUsage, nodeUsage, pythonUsage, usedOf } from './usage.ts';

const readModels = async (inputs: Readonly<Record<string, InputArtifact>>): Promise<Models> => {
  const models = new Map<Precision, Model>();
  for (const precision of precisions) {
    const input = inputs[precision];
    if (input !== undefined) models.set(precision, await readModelArtifact(input.path));
  }
  return models;
};

export const run: StageRun<Config, Reported> = async (inputs, { languages = [] }, ctx): Promise<Reported> => {
  const models = await readModels(inputs);
  const folder = await ctx.output('folder', 'folder');
  const bytes = await exportModels(folder, models, { threads: ctx.threads, results: RESULTS_PLACEHOLDER, languages });
  const [shared] = models.values();
  const settings = shared?.tokenizer === undefined ? [] : clientLimits(shared.tokenizer);
  const notes = settings.length === 0 ? {} : { notes: [clientSettingsNote(settings)] };
  const used = shared === undefined ? undefined : usedOf(shared, [...models.keys()]);
  const usage =
    used === undefined
      ? {}
      : { usage: { node: nodeUsage(used), browser: browserUsage(used), python: pythonUsage(used) } };
  return { files: [...models.keys()], bytes, ...notes, ...usage };
};
