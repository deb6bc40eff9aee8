import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { importModel } from '../../models/importers/index.ts';
import type { Model } from '../../models/model.ts';
import { workspace } from '../rig/workspace.ts';
import { expectedOf, goldenFolder, importGolden, runGolden } from './golden-checkpoints.ts';
import { readTensors, writeTensors } from './safetensors-file.ts';
import { largestDifference } from './support.ts';

/** Float32 sums that were rounded before and after 1 was added. */
const ROUNDING = 1e-5;

/** Name, and the prefixes of its head and encoder. */
type Golden = readonly [string, string, string];

/**
 * A golden masked language model with its table once more as an output matrix. `own`: as transformers 5 saves it, a bias of the
 * output layer, larger by 1, beside that of the head; `shared`: as transformers 4 did, one bias under the head's name.
 */
const untied = (folder: string, [name, head, encoder]: Golden, bias: 'own' | 'shared'): Promise<Model> => {
  cpSync(goldenFolder(name), folder, { recursive: true });
  const config: unknown = JSON.parse(readFileSync(`${folder}/config.json`, 'utf8'));
  writeFileSync(`${folder}/config.json`, JSON.stringify(Object.assign({}, config, { tie_word_embeddings: false })));
  const parameters = readTensors(`${folder}/model.safetensors`);
  const add = (to: string, from: string, plus: number): void => {
    const { dims, data } = parameters.get(from) ?? { dims: [], data: new Float32Array() };
    parameters.set(to, { dims, data: data.map((x) => x + plus) });
  };
  add(`${head}.decoder.weight`, `${encoder}.embeddings.word_embeddings.weight`, 0);
  if (bias === 'own') add(`${head}.decoder.bias`, `${head}.bias`, 1);
  writeTensors(`${folder}/model.safetensors`, parameters);
  return importModel(folder, folder);
};

it.each<Golden>([
  ['bert-mlm', 'cls.predictions', 'bert'],
  ['roberta-mlm', 'lm_head', 'roberta'],
  ['albert-mlm', 'predictions', 'albert'],
  ['mobilebert-mlm', 'cls.predictions', 'mobilebert'],
])('the output layer of %s has a bias of its own where it is not tied', async (...golden) => {
  using space = workspace();
  const logitsOf = async (model: Model) => (await runGolden(model, [expectedOf(golden[0])])).flat();
  const tied = await logitsOf(await importGolden(golden[0]));
  const own = await logitsOf(await untied(space.path('own'), golden, 'own'));
  const shared = await logitsOf(await untied(space.path('shared'), golden, 'shared'));
  const raised = tied.map((logit) => logit + 1);
  expect(largestDifference(own, raised)).toBeLessThan(ROUNDING);
  expect(largestDifference(shared, tied)).toBeLessThan(ROUNDING);
});
