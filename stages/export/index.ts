import { z } from 'zod';
import { clientLimits } from '../../data/tokenizers/client-limits.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { notes } from '../../ground/reported/stage.ts';
import { type Precision, readModelArtifact } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { clientSettingsNote } from '../evaluate/client-notes.ts';
import { defineStage } from '../stage.ts';
import { RESULTS_PLACEHOLDER } from './card.ts';
import { exportModels, type Models } from './folder.ts';

const config = z.strictObject({
  to: z.literal('transformers-js').default('transformers-js').meta({ description: 'Layout of the folder.' }),
});

const precisions: readonly Precision[] = ['fp32', 'q8'];

const readModels = async (inputs: Readonly<Record<string, InputArtifact>>): Promise<Models> => {
  const models = new Map<Precision, Model>();
  for (const precision of precisions) {
    const input = inputs[precision];
    if (input !== undefined) models.set(precision, await readModelArtifact(input.path));
  }
  return models;
};

/** Writes a folder that transformers.js loads, in Node and in browsers. */
export const exportStage = defineStage({
  uses: 'export',
  version: 6,
  summary: 'A folder that @huggingface/transformers loads: ONNX files, tokenizer, config and model card.',
  config,
  place: 'named',
  metrics: z.looseObject({ files: z.array(z.string()), bytes: z.record(z.string(), z.number()), notes }),
  makes: 'folder',
  draws: false,
  from: precisions,
  takes: { fp32: 'floats', q8: 'integers' },
  wire: () => ({}),
  run: async (inputs, _, ctx) => {
    const models = await readModels(inputs);
    const folder = await ctx.output('folder', 'folder');
    const bytes = await exportModels(folder, models, { threads: ctx.threads, results: RESULTS_PLACEHOLDER });
    const [shared] = models.values();
    const settings = shared === undefined ? [] : clientLimits(shared.tokenizer);
    const written = { files: [...models.keys()], bytes };
    return settings.length === 0 ? written : { ...written, notes: [clientSettingsNote(settings)] };
  },
});
