import { parseArgs } from 'node:util';
import { cosineOf } from '../../data/cosine.ts';
import type { Example } from '../../data/dataset.ts';
import type { Rows } from '../../data/rows.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import { encodedText } from '../../engine/encoded.ts';
import { openPredictor } from '../../engine/predict.ts';
import { importFolder } from '../../models/importers/folder/index.ts';
import { type Model, tokenizerIn } from '../../models/model.ts';
import { pruneConfig } from '../../stages/prune/config.ts';
import { saliencies } from '../../stages/prune/saliencies/index.ts';
import { makeZeros } from '../../stages/prune/zeroed.ts';
import { definitionsOf } from '../definitions.ts';

const LENGTH = 128;
const settings = { seed: 1, threads: 2, signal: new AbortController().signal, progress: () => undefined };

/** Options of the prune stage: everything that needs no label, in every pattern, with what stays as it is and moved. */
const asked = [{ sparsity: 0.5 }, { sparsity: 0.7 }, { sparsity: 0.9 }, { pattern: '2:4' }].flatMap((pattern) =>
  saliencies
    .filter(({ reads }) => reads !== 'gradients')
    .flatMap(({ name, reads }) =>
      [false, true].map((reconstruct) => ({
        ...{ ...pattern, saliency: name, reconstruct },
        ...(reads === 'weights' ? { embeddings: false } : {}),
      })),
    ),
);

const vectorsOf = async (model: Model, texts: readonly string[]): Promise<Rows> => {
  const encoded = (await tokenizerOf(tokenizerIn(model)).encodeBatch([...texts], LENGTH)).map(encodedText);
  const predictor = await openPredictor({ model, threads: settings.threads });
  try {
    return (await predictor.predict({ examples: encoded, batching: 'single' })).rows;
  } finally {
    await predictor.release();
  }
};

const cosines = (a: Rows, b: Rows): readonly number[] =>
  Array.from({ length: a.data.length / a.width }, (_, row) => cosineOf(a.data, row, b.data, row, a.width));

/** What zeros without training leave of an encoder: cosines of its vectors to those of the whole one, and seconds. */
export const benchSparsity = async (args: readonly string[]): Promise<void> => {
  const { positionals, values } = parseArgs({
    ...{ args: [...args], allowPositionals: true },
    options: { texts: { type: 'string', default: '200' }, only: { type: 'string', default: '' } },
  });
  const [folder] = positionals;
  if (folder === undefined) throw new Error('usage: npm run bench -- sparsity CHECKPOINT [--texts N] [--only WORD]');
  const model = await importFolder(folder, { head: 'keep' });
  const [calibrate, judge] = await definitionsOf(Number(values.texts));
  const whole = await vectorsOf(model, judge);
  const examples: readonly Example[] = calibrate.map((text, id) => ({ id, text }));
  const texts = {
    ...{ task: 'features' as const, classes: [], maxLength: LENGTH, labelled: examples.length },
    pick: async (places: ArrayLike<number>) => Array.from(places, (at) => examples[at] ?? []).flat(),
    all: async function* () {
      yield* examples;
    },
  };
  for (const options of asked) {
    const recipe = JSON.stringify(options).replaceAll('"', '');
    if (!recipe.includes(values.only)) continue;
    const looks = options.reconstruct || !('embeddings' in options);
    const config = pruneConfig.parse({ ...options, ...(looks ? { calibration: examples.length } : {}) });
    const started = performance.now();
    const { model: sparse } = await makeZeros(model, config, { ...settings, texts });
    const seconds = (performance.now() - started) / 1000;
    const near = cosines(whole, await vectorsOf(sparse, judge));
    const mean = near.reduce((sum, one) => sum + one, 0) / near.length;
    console.log(`${recipe}: mean ${mean.toFixed(4)}, least ${Math.min(...near).toFixed(3)}, ${seconds.toFixed(1)} s`);
  }
};
