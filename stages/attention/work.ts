import { readDatasetArtifact } from '../../data/files.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { stageError } from '../../ground/errors.ts';
import type { Json } from '../../ground/json.ts';
import { hiddenStatesIn } from '../../models/anatomy/hidden-states.ts';
import { withAttention } from '../../models/attention/convert.ts';
import { kindOf } from '../../models/attention/kinds/index.ts';
import { withPositions } from '../../models/attention/positions.ts';
import { readModelArtifact, writeModel } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { isQuantized } from '../../models/quantized.ts';
import { type Recovery, recoverModel, recoveryTraining } from '../distill/recovery.ts';
import type { StageRun, TrainingOfRun } from '../stage.ts';
import { type AttentionOptions, settingsOf } from './config.ts';
import type { Reported } from './index.ts';
import { expectReach } from './reach.ts';

type Inputs = Readonly<Record<string, InputArtifact>>;

const given = async ({ model: input }: Inputs): Promise<Model> => {
  if (input === undefined) throw new Error('attention needs a model');
  const model = await readModelArtifact(input.path);
  if (!isQuantized(model.graph)) return model;
  throw stageError('the model is quantized: change its attention before, from the stage that quantize read');
};

/** The model with room for longer texts and another kind of attention, not trained. */
export const changed = (model: Model, options: AttentionOptions, seed: number): Model => {
  const { kind, layers, positions } = options;
  const long = positions === undefined ? model : withPositions(model, positions.to, positions.by);
  if (kind === undefined) return long;
  const chosen = { kind: kindOf(kind), settings: settingsOf(options), seed, longest: long.info.maxLength };
  const graph = withAttention(long.graph, chosen, layers);
  return { ...long, graph, info: { ...long.info, ...hiddenStatesIn(graph, long.info) } };
};

/** What the report says of it. */
const told = (options: AttentionOptions, { info }: Model): Json => {
  const { kind, layers, positions } = options;
  const known = kind === undefined ? {} : kindOf(kind).settings;
  const settings = Object.entries(settingsOf(options)).filter(([name]) => name in known);
  return {
    ...(kind === undefined ? {} : { kind, ...Object.fromEntries(settings) }),
    ...(layers === undefined ? {} : { layers }),
    ...(positions === undefined ? {} : { positions: { ...positions } }),
    longest: info.maxLength,
  };
};

const recoveryOf = async (inputs: Inputs, options: AttentionOptions, model: Model): Promise<Recovery | undefined> => {
  const { recover } = options;
  const { dataset } = inputs;
  if (recover === undefined || dataset === undefined) return undefined;
  return { model, dataset: await readDatasetArtifact(dataset.path), recover, inputs };
};

export const training: TrainingOfRun<AttentionOptions> = async (inputs, options, ctx) => {
  const recovery = await recoveryOf(inputs, options, changed(await given(inputs), options, ctx.seed));
  if (recovery === undefined) throw new Error('there is no training without recovery');
  return await recoveryTraining(recovery, ctx);
};

export const run: StageRun<AttentionOptions, Reported> = async (inputs, options, ctx) => {
  const model = changed(await given(inputs), options, ctx.seed);
  if (options.positions !== undefined) await expectReach(model, ctx.threads);
  const attention = told(options, model);
  const recovery = await recoveryOf(inputs, options, model);
  if (recovery === undefined) {
    await writeModel(await ctx.output('model', 'model'), model);
    return { attention };
  }
  const { model: trained, summary } = await recoverModel(recovery, ctx);
  await writeModel(await ctx.output('model', 'model'), trained);
  return { attention, training: summary };
};
