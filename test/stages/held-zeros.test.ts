import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readGraph } from '../../graph/codec/index.ts';
import { type Value, value } from '../../graph/graph.ts';
import { float32Of, numbersOf } from '../../graph/tensor.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { readModelArtifact } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { distill } from '../../stages/distill/index.ts';
import { exportStage } from '../../stages/export/index.ts';
import { label } from '../../stages/label/index.ts';
import { prune } from '../../stages/prune/index.ts';
import { quantize } from '../../stages/quantize/index.ts';
import type { AnyStage } from '../../stages/stage.ts';
import { trainStage } from '../../stages/train/index.ts';
import { smallEncoder } from '../models/support.ts';
import { workspace } from '../rig/workspace.ts';
import { classes, datasetArtifact, modelArtifact, runStage, smallDataset } from './training-rig.ts';

const space = workspace();
afterAll(() => space[Symbol.dispose]());

const quick = { steps: 6, batch: 16, learningRate: 0.01 };

let dense: Model;
let dataset: InputArtifact;
let sparse: InputArtifact;

const step = async (name: string, stage: AnyStage, model: InputArtifact, config: object, more = {}) =>
  runStage(space, stage, { model, dataset, ...more }, config, { name });

beforeAll(async () => {
  dense = smallEncoder({ labels: classes, hidden: 72, ffn: 128 });
  dataset = await datasetArtifact(space, smallDataset());
  const model = await modelArtifact(space, 'dense', dense);
  sparse = (await step('sparse', prune, model, { sparsity: 0.6, embeddings: false })).output;
});

const floats = ({ graph }: Model, name: Value): Float32Array => {
  const tensor = graph.weights.get(name);
  if (tensor === undefined) throw new Error(`no '${name}'`);
  return float32Of(tensor);
};

/** Zeros of the weights that pruning named, as the model had them and as another one has them at the same places. */
const zerosKept = async (before: InputArtifact, after: InputArtifact) => {
  const [was, is] = [await readModelArtifact(before.path), await readModelArtifact(after.path)];
  let [zeros, kept, moved] = [0, 0, 0];
  for (const name of was.info.sparse ?? []) {
    const now = floats(is, name);
    floats(was, name).forEach((w, i) => {
      if (w === 0) zeros++;
      if (w === 0 && Object.is(now[i], 0)) kept++;
      if (w !== 0 && now[i] !== w) moved++;
    });
  }
  return { zeros, kept, moved };
};

describe('zeros that pruning made', () => {
  it('are named in the model', async () => {
    const { info, graph } = await readModelArtifact(sparse.path);
    expect(info.sparse?.length).toBeGreaterThan(5);
    expect(info.sparse?.every((name) => graph.weights.get(name)?.dims.length === 2)).toBe(true);
    expect(dense.info.sparse).toBeUndefined();
  });

  it('stay zero in training, which says so, unless they are let go', async () => {
    const trained = await step('trained', trainStage, sparse, quick);
    const { zeros, kept, moved } = await zerosKept(sparse, trained.output);
    expect(zeros).toBeGreaterThan(1000);
    expect(kept).toBe(zeros);
    expect(moved).toBeGreaterThan(zeros / 2);
    expect(trained.metrics).toMatchObject({ training: { heldZeros: zeros } });
    const free = await step('free', trainStage, sparse, { ...quick, holdZeros: false });
    expect((await zerosKept(sparse, free.output)).kept).toBeLessThan(zeros / 10);
    expect((await readModelArtifact(free.output.path)).info.sparse).toBeUndefined();
    expect(free.metrics).not.toMatchObject({ training: { heldZeros: zeros } });
  });

  it('stay zero in distillation, in recovery behind a cut, in whole numbers and in an export', async () => {
    const teacher = await modelArtifact(space, 'teacher', dense);
    const labels = await runStage(
      space,
      label,
      { model: teacher, dataset },
      {},
      { name: 'said', kind: 'teacher-outputs' },
    );
    const said = { 'teacher-outputs': labels.output };
    const distilled = (await step('distilled', distill, sparse, { teacher: 'teacher', ...quick }, said)).output;
    const first = await zerosKept(sparse, distilled);
    expect(first.kept).toBe(first.zeros);
    const recover = { uses: 'train', ...quick };
    const cut = { keep: { ffn: '50%' }, criterion: 'magnitude', recover };
    const narrow = (await step('narrow', prune, distilled, cut)).output;
    const bare = (await step('bare', prune, distilled, { ...cut, recover: undefined })).output;
    const second = await zerosKept(bare, narrow);
    expect(second.zeros).toBeGreaterThan(0);
    expect(second.kept).toBe(second.zeros);
    expect(second.moved).toBeGreaterThan(0);
    const int8 = (await step('int8', quantize, narrow, { recover })).output;
    const [floating, whole] = [await readModelArtifact(narrow.path), await readModelArtifact(int8.path)];
    const name = value('encoder.layer.0.intermediate.dense.weight');
    const codes = whole.graph.weights.get(value(`${name}_quantized`));
    const now = codes === undefined ? [] : numbersOf(codes);
    const others = floats(floating, name).filter((w, i) => w === 0 && now[i] !== 0);
    expect(now.length).toBe(72 * 64);
    expect(others.length).toBe(0);
    expect(now.filter((code) => code === 0).length).toBeLessThan(0.9 * now.length);
    const { output } = await runStage(space, exportStage, { fp32: narrow }, {}, { name: 'deployed', kind: 'folder' });
    const deployed = await readGraph(output.path('onnx/model.onnx'));
    const shipped = floats({ ...floating, graph: deployed }, name);
    expect(floats(floating, name).every((w, i) => shipped[i] === w)).toBe(true);
  });

  it('of a matrix from elsewhere stay where that is asked for', async () => {
    const { graph, info, ...model } = await readModelArtifact(sparse.path);
    const { sparse: names, ...unnamed } = info;
    const foreign = await modelArtifact(space, 'foreign', { ...model, graph, info: unnamed });
    const { zeros } = await zerosKept(sparse, foreign);
    const held = await step('asked', trainStage, foreign, { ...quick, holdZeros: true });
    expect((await zerosKept(sparse, held.output)).kept).toBe(zeros);
    const free = await step('unasked', trainStage, foreign, quick);
    expect((await zerosKept(sparse, free.output)).kept).toBeLessThan(zeros / 10);
    expect(names?.length).toBeGreaterThan(0);
  });

  it('are numbers like all others in a model that starts anew', async () => {
    const scratch = await step('scratch', trainStage, sparse, { ...quick, like: 'sparse' });
    expect((await zerosKept(sparse, scratch.output)).kept).toBe(0);
  });
});
