import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { clientLimits } from '../../data/tokenizers/client-limits.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import type { Metrics } from '../../ground/json.ts';
import { type Precision, readModelArtifact } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { clientSettingsNote } from '../evaluate/client-notes.ts';
import type { Outlook } from '../expected.ts';
import { defineStage } from '../stage.ts';
import { RESULTS_PLACEHOLDER } from './card.ts';
import { differ, exportModels, type Models } from './folder.ts';

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

/** In what models of one folder are known to differ; undefined where in nothing. */
const differing = ({ fp32, q8 }: Outlook['models']): string | undefined =>
  (['task', 'labels', 'modelType'] as const).find((part) => {
    const [a, b] = [fp32?.[part], q8?.[part]];
    return a !== undefined && b !== undefined && !isDeepStrictEqual(a, b);
  });

/** Writes a folder that transformers.js loads, in Node and in browsers. */
export const exportStage = defineStage({
  uses: 'export',
  version: 8,
  summary: 'A folder that @huggingface/transformers loads: ONNX files, tokenizer, config and model card.',
  config,
  makes: 'folder',
  draws: false,
  from: precisions,
  takes: { fp32: 'floats', q8: 'integers' },
  wire: () => ({}),
  foresee: (_, { models }) => {
    const part = differing(models);
    return part === undefined ? {} : { problems: [{ path: ['from'], message: differ(part) }] };
  },
  run: async (inputs, _, ctx): Promise<Metrics> => {
    const models = await readModels(inputs);
    const folder = await ctx.output('folder', 'folder');
    const bytes = await exportModels(folder, models, { threads: ctx.threads, results: RESULTS_PLACEHOLDER });
    const [shared] = models.values();
    const settings = shared === undefined ? [] : clientLimits(shared.tokenizer);
    const notes = settings.length === 0 ? {} : { notes: [clientSettingsNote(settings)] };
    return { files: [...models.keys()], bytes, ...notes };
  },
});
