import { thisMachine } from '../../data/cpu.ts';
import type { Dataset } from '../../data/dataset.ts';
import { readDatasetArtifact } from '../../data/files.ts';
import { type ModelProfile, type ProfiledNode, writeProfile } from '../../data/profile.ts';
import type { Feeds } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import type { Graph } from '../../graph/graph.ts';
import { foldConstants, fuseForInference } from '../../graph/rewrite/index.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { readModelArtifact } from '../../models/files.ts';
import { modelFigures } from '../../models/inspect.ts';
import type { Model } from '../../models/model.ts';
import { type Decision, readDecision } from '../quantize/decision.ts';
import type { StageRun } from '../stage.ts';
import { brokenAttention, fusedAttentions } from './attention.ts';
import { type Timing, timeCandidates } from './candidates.ts';
import type { Config, Reported } from './index.ts';
import { kernelTimes } from './kernels.ts';
import { layersOf } from './layers.ts';
import { describeProducts, storage, subjectOf } from './subject.ts';
import { feedsOf, medianLength } from './texts.ts';
import type { Runner } from './time.ts';
import type { Subject } from './variants/variant.ts';

const describeNodes = async (
  { graph, groups }: Subject,
  fused: Graph,
  feeds: Feeds,
): Promise<readonly ProfiledNode[]> => {
  const [times, layers] = [await kernelTimes(graph, feeds), layersOf(graph, fused)];
  return graph.nodes.map((node) => ({
    name: node.name,
    op: node.domain === '' ? node.op : `${node.domain}:${node.op}`,
    layer: layers.get(node) ?? 'embeddings',
    group: groups.get(node) ?? 'other',
    ms: times.get(node.name) ?? 0,
  }));
};

/** A model, and what was decided where one of its stages quantized it. */
interface Profiled extends Model {
  readonly decision: Decision | undefined;
}

const profileModel = async (model: Profiled, feeds: Feeds, length: number, timing: Timing): Promise<ModelProfile> => {
  const fused = fuseForInference(model.graph);
  const subject = await subjectOf(fused, feeds);
  return {
    macs: modelFigures(model, length).macs,
    ...storage(subject.graph),
    nodes: await describeNodes(subject, fused, feeds),
    products: describeProducts(subject, fused, model.decision),
    attention: {
      fused: fusedAttentions(subject),
      broken: brokenAttention(subject.graph, foldConstants(model.graph)),
    },
    times: await timeCandidates(subject, feeds, timing),
  };
};

/** The first model that does what the data is for, ready to run beside the others. */
const referenceOf = async (
  { task }: Dataset,
  models: ReadonlyMap<string, Model>,
  feeds: (model: Model) => Promise<Feeds>,
): Promise<{ readonly id: string; readonly runner: Runner } | undefined> => {
  for (const [id, model] of models) {
    if (model.info.task !== task) continue;
    const program = await cpuEngine.compile(fuseForInference(model.graph), { threads: 1, optimization: 'all' });
    return { id, runner: { program, feeds: await feeds(model) } };
  }
  return undefined;
};

const readModels = async (inputs: Readonly<Record<string, InputArtifact>>): Promise<ReadonlyMap<string, Profiled>> => {
  const models = new Map<string, Profiled>();
  for (const [id, input] of Object.entries(inputs)) {
    models.set(id, { ...(await readModelArtifact(input.path)), decision: await readDecision(input) });
  }
  return models;
};

const lengthFor = async (dataset: Dataset, models: ReadonlyMap<string, Model>): Promise<number> => {
  const [first] = models.values();
  return first === undefined ? 1 : Math.max(1, await medianLength(dataset, first));
};

export const run: StageRun<Config, Reported> = async (
  { dataset: datasetInput, ...inputs },
  { threads, rounds },
  ctx,
) => {
  if (datasetInput === undefined) throw new Error('profile needs a dataset');
  const dataset = await readDatasetArtifact(datasetInput.path);
  const models = await readModels(inputs);
  const length = await lengthFor(dataset, models);
  const machine = thisMachine();
  const feeds = (model: Model): Promise<Feeds> => feedsOf(dataset, model, length);
  const reference = await referenceOf(dataset, models, feeds);
  const timing: Timing = { rounds, threads, machine, reference: reference?.runner, signal: ctx.signal };
  const profiles: Record<string, ModelProfile> = {};
  try {
    for (const [id, model] of models) {
      ctx.signal.throwIfAborted();
      profiles[id] = await profileModel(model, await feeds(model), length, timing);
      ctx.progress({ done: Object.keys(profiles).length, total: models.size, unit: 'models' });
    }
  } finally {
    await reference?.runner.program.release();
  }
  const cell = { batch: 1, length };
  await writeProfile(await ctx.output('profile', 'profile'), {
    ...{ schema: 'decant.profile/2', machine, threads, cell, reference: reference?.id ?? null },
    models: profiles,
  });
  return { rounds, models: models.size };
};
