import { readDatasetFacts } from '../../data/files.ts';
import { expectRegistered } from '../../engine/engines/onnxruntime/registered.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { labelRemark } from '../../models/class-names.ts';
import { writeModel } from '../../models/files.ts';
import { importModel } from '../../models/importers/index.ts';
import type { StageContext, StageRun } from '../stage.ts';
import { fitLabels } from './fit.ts';
import { withCheckpoint } from './hub.ts';
import type { Config, Reported } from './index.ts';

interface Source extends Config {
  /** What the model is called where `model` is the temporary folder of a download. */
  readonly name?: string;
}

const bring = async (input: InputArtifact | undefined, { model: specifier, ...options }: Source, ctx: StageContext) => {
  const imported = await importModel(specifier, ctx.base, options);
  await expectRegistered(imported.graph);
  // Of the data only its classes matter: texts take time and memory.
  const model = input === undefined ? imported : fitLabels(imported, await readDatasetFacts(input.path));
  const remark = labelRemark(imported.info.labels, model.info.labels);
  const notes = [...(remark === undefined ? [] : [remark]), ...(imported.remarks ?? [])];
  for (const note of notes) ctx.log(note);
  await writeModel(await ctx.output('model', 'model'), model);
  const { info } = model;
  return {
    origin: info.origin ?? specifier,
    dimensions: info.dimensions,
    ...(input === undefined ? {} : { task: info.task }),
    ...(notes.length === 0 ? {} : { notes }),
  };
};

export const run: StageRun<Config, Reported> = ({ checkpoint, dataset }, config, ctx) =>
  checkpoint === undefined
    ? bring(dataset, config, ctx)
    : withCheckpoint(checkpoint, ctx, (model, name) => bring(dataset, { ...config, model, name }, ctx));
