import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { env, pipeline, RawImage } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pixels } from '../../data/dataset.ts';
import { stream } from '../../data/random.ts';
import { rowOf } from '../../data/rows.ts';
import { encodedImage } from '../../engine/encoded.ts';
import { predict } from '../../engine/predict.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import type { ToldClass } from '../../engine/tasks/told.ts';
import { readModel } from '../../models/files.ts';
import { importModel } from '../../models/importers/index.ts';
import { batchingOf } from '../../models/quantized.ts';
import { buildVit } from '../../models/vit.ts';
import { root } from '../rig/build.ts';
import { workspace } from '../rig/workspace.ts';
import { exportInto, ROUNDING } from './rig.ts';

const space = workspace();
beforeAll(() => {
  env.allowRemoteModels = false;
});
afterAll(() => space[Symbol.dispose]());

const labels = ['one', 'two', 'three'];
const pixels = { channels: 1, height: 16, width: 16, scale: 1 / 255, mean: [0.1307], deviation: [0.3081] };

/** A model of decant's own for grey images, large enough for 8 bits. */
const own = () =>
  buildVit(
    {
      ...{ hidden: 64, layers: 1, heads: 2, ffn: 128, patch: 8, activation: 'gelu', pooling: 'first', dropout: 0.1 },
      ...{ labels, pixels },
    },
    3,
  );

const imagesOf = ({ height, width, channels }: Omit<Pixels, 'data'>): readonly Pixels[] =>
  [1, 2, 3].map((seed) => {
    const random = stream(seed, 'image');
    const data = Uint8Array.from({ length: height * width * channels }, () => random.integer(256));
    return { height, width, channels, data };
  });

const told = async (folder: string, precision: 'fp32' | 'q8', images: readonly Pixels[]) => {
  const model = await readModel(folder, { precision });
  const task = taskOf(model.info.task);
  const examples = images.map(encodedImage);
  const { rows } = await predict({ model, examples, threads: 1, batching: batchingOf(model.graph) });
  return examples.map((_, i) => task.tell(rowOf(rows, i), model.info.labels, model.info.processor) as ToldClass);
};

describe('models of images in transformers.js', () => {
  const golden = (name: string) => () => importModel(join(root, 'test/golden/images', name), '/');

  it.each([
    ['own', async () => own(), ['fp32', 'q8'] as const],
    ['vit', golden('vit'), ['fp32'] as const],
    ['deit-teacher', golden('deit-teacher'), ['fp32'] as const],
    ['vit-grey', golden('vit-grey'), ['fp32'] as const],
  ])('are asked by its own pipeline and give the same answers: %s', async (name, made, precisions) => {
    const model = await made();
    const folder = await exportInto(space.folder, name, model, precisions);
    const { pixels: size } = model.info.processor;
    if (size === undefined) throw new Error('a model of images has a size');
    const images = imagesOf(size);
    for (const dtype of precisions) {
      const classify = await pipeline('image-classification', folder, { dtype });
      const mine = await told(folder, dtype, images);
      for (const [i, { data, width, height, channels }] of images.entries()) {
        const raw = new RawImage(Uint8ClampedArray.from(data), width, height, channels === 1 ? 1 : 3);
        const said = (await classify(raw, { top_k: model.info.labels.length })) as { label: string; score: number }[];
        const { classes } = mine[i] ?? { classes: [] };
        expect(said.map(({ label }) => label)).toEqual(classes.map(({ label }) => label));
        for (const [c, { score }] of said.entries()) {
          expect(Math.abs(score - (classes[c]?.probability ?? 0))).toBeLessThan(ROUNDING);
        }
      }
      await classify.dispose();
    }
  });

  it('refuse an image of other channels than theirs instead of reading it as something else', async () => {
    const folder = await exportInto(space.folder, 'channels', own(), ['fp32']);
    const classify = await pipeline('image-classification', folder, { dtype: 'fp32' });
    const colour = new RawImage(new Uint8ClampedArray(16 * 16 * 3), 16, 16, 3);
    await expect(classify(colour)).rejects.toThrow('number of channels');
    await classify.dispose();
  });

  it('come with a card that says how an image is read', async () => {
    const folder = await exportInto(space.folder, 'card', own(), ['fp32']);
    const card = readFileSync(join(folder, 'README.md'), 'utf8');
    expect(card).toContain('pipeline_tag: image-classification');
    expect(card).toContain('- images: 16 x 16 pixels, grey');
    expect(card).not.toMatch(/token|Languages/i);
  });
});
