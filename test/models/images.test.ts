import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Pixels } from '../../data/dataset.ts';
import { encodedImage } from '../../engine/encoded.ts';
import { feedsFor } from '../../engine/feeds.ts';
import { concreteView } from '../../graph/concrete.ts';
import { anatomyOf, partsOf } from '../../models/anatomy.ts';
import { importModel } from '../../models/importers/index.ts';
import type { Model } from '../../models/model.ts';
import { answerName } from '../../models/signature.ts';
import { root } from '../rig/build.ts';
import { workspace } from '../rig/workspace.ts';
import { largestDifference, outputsOf } from './support.ts';

const golden = `${root}test/golden/images`;
const names = readdirSync(golden, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** Float32 sums in another order than PyTorch's. */
const ROUNDING = 1e-4;

const expectedSchema = z.object({
  images: z.array(z.object({ height: z.int(), width: z.int(), channels: z.int(), data: z.array(z.int()) })),
  dims: z.array(z.int()),
  output: z.array(z.number()),
});

const expectedOf = (name: string) => {
  const read = expectedSchema.parse(JSON.parse(readFileSync(join(golden, name, 'expected.json'), 'utf8')));
  const images = read.images.map((image): Pixels => ({ ...image, data: Uint8Array.from(image.data) }));
  return { ...read, images };
};

const said = async ({ graph, info }: Model, images: readonly Pixels[]): Promise<readonly number[]> => {
  const rows = Int32Array.from(images, (_, i) => i);
  const [output = []] = await outputsOf(graph, [feedsFor(info, images.map(encodedImage), { rows, length: 1 })]);
  return [...output];
};

describe('checkpoints of images', () => {
  it.each(names)('say what PyTorch says, each image alone and in a batch: %s', async (name) => {
    const model = await importModel(join(golden, name), '/');
    const { images, output } = expectedOf(name);
    expect(largestDifference(await said(model, images), output)).toBeLessThan(ROUNDING);
    const alone = await Promise.all(images.map((image) => said(model, [image])));
    expect(largestDifference(alone.flat(), output)).toBeLessThan(ROUNDING);
  });

  it.each(names)('are made of layers, heads, neurons and a width that can be cut: %s', async (name) => {
    const { graph } = await importModel(join(golden, name), '/');
    const anatomy = anatomyOf(concreteView(graph));
    expect(anatomy.layers).toHaveLength(2);
    expect(partsOf(anatomy).map(({ kind, count, refused }) => ({ kind, count, refused }))).toEqual([
      { kind: 'hidden', count: 32, refused: undefined },
      ...[0, 1].flatMap(() => [
        { kind: 'heads', count: 2, refused: undefined },
        { kind: 'ffn', count: 48, refused: undefined },
      ]),
    ]);
  });

  it('are taken without their head where that is asked for', async () => {
    const { info, graph } = await importModel(join(golden, 'deit-teacher'), '/', { head: 'new' });
    expect(info).toMatchObject({ task: 'features', labels: [], signature: { inputs: [{ role: 'pixels' }] } });
    expect(graph.types.get(answerName(info.signature))?.shape).toHaveLength(3);
  });
});

describe('a folder of images that is wrong', () => {
  const failing = async (change: (folder: string) => void): Promise<string> => {
    using space = workspace();
    const folder = space.path('vit');
    cpSync(join(golden, 'vit'), folder, { recursive: true });
    change(folder);
    return await importModel(folder, '/').then(
      () => 'imported',
      (error: Error) => error.message,
    );
  };
  const edited = (file: string, keys: object) => (folder: string) => {
    const path = join(folder, file);
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...keys }));
  };
  const processor = 'preprocessor_config.json';

  it.each([
    [(folder: string) => rmSync(join(folder, processor)), 'has no preprocessor_config.json'],
    [
      edited(processor, { image_processor_type: 'CLIPImageProcessor' }),
      "knows no image processor 'CLIPImageProcessor'",
    ],
    [edited(processor, { image_mean: [0.5] }), 'image_mean has 1 numbers, but the model reads images of 3 channels'],
    [edited(processor, { size: { height: 16, width: 12 } }), 'makes images of 16 x 12'],
    [edited(processor, { do_pad: true }), 'do_pad is true'],
    [edited('config.json', { patch_size: 5 }), 'expected a divisor of image_size, which is 12 x 12; found 5 x 5'],
    [edited('config.json', { hidden_size: 16 }), 'by config.json it should be'],
    [edited('config.json', { architectures: ['ViTForMaskedImageModeling'] }), 'a head that decant does not know'],
  ])('is refused in a sentence that says so %#', async (change, message) => {
    expect(await failing(change)).toContain(message);
  });
});
