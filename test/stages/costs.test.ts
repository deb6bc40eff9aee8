import { afterAll, beforeAll, expect, it } from 'vitest';
import type { InputArtifact } from '../../ground/artifact.ts';
import { readModelArtifact } from '../../models/files.ts';
import { macsOf } from '../../models/inspect.ts';
import type { Model } from '../../models/model.ts';
import { isQuantized } from '../../models/quantized.ts';
import { costs } from '../../stages/costs/index.ts';
import { shareOfTime } from '../../stages/costs/predict.ts';
import { readCosts } from '../../stages/costs/table.ts';
import { deployed } from '../../stages/costs/time.ts';
import { prune } from '../../stages/prune/index.ts';
import { smallEncoder } from '../models/support.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';
import { classes, datasetArtifact, modelArtifact, runStage, smallDataset } from './training-rig.ts';

let space: Workspace;
let model: Model;
let inputs: Readonly<Record<'model' | 'dataset', InputArtifact>>;
beforeAll(async () => {
  space = workspace();
  model = smallEncoder({ labels: classes, hidden: 64, ffn: 128, layers: 2 });
  inputs = {
    model: await modelArtifact(space, 'teacher', model),
    dataset: await datasetArtifact(space, smallDataset()),
  };
});
afterAll(() => space[Symbol.dispose]());

it('costs are timed for every kind of block as it will be stored, and foretell the whole model', async () => {
  const { output } = await runStage(space, costs, inputs, { as: 'int8' }, { name: 'costs', kind: 'costs' });
  const table = await readCosts(output.path);
  expect(table.as).toBe('int8');
  expect(isQuantized(deployed(model.graph, 'int8'))).toBe(true);
  expect(isQuantized(deployed(model.graph, 'float32'))).toBe(false);
  const [own] = table.widths;
  expect(table.widths).toHaveLength(1);
  expect(own?.hidden).toBe(64);
  expect(own?.heads.map(([units]) => units)).toEqual(expect.arrayContaining([1]));
  expect(own?.ffn.at(-1)?.[0]).toBe(128);
  expect(shareOfTime(table, model.graph)).toBeGreaterThan(0);
});

it('a stage of a budget leaves no more than was asked for, and says where it was cut', async () => {
  const config = { budget: { macs: '60%', texts: 8 }, examples: 32, compensate: 'least-squares' };
  const { output, metrics } = await runStage(space, prune, inputs, config, { name: 'slim', kind: 'model' });
  const { graph } = await readModelArtifact(output.path);
  expect(macsOf(graph, 5) / macsOf(model.graph, 5)).toBeLessThanOrEqual(0.65);
  expect(metrics).toMatchObject({
    structure: { budget: { asked: { macs: '60%' }, layers: [{ layer: 0 }, { layer: 1 }] } },
  });
});
