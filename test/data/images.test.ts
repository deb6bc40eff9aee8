import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { encode as png } from 'fast-png';
import { encode as jpeg } from 'jpeg-js';
import { describe, expect, it } from 'vitest';
import { readIdx } from '../../data/datasets/idx.ts';
import { check, dataSchema, load, taskOfData } from '../../data/datasets/index.ts';
import { readImage } from '../../data/images/index.ts';
import { workspace } from '../rig/workspace.ts';
import { smallPackages } from './small-packages.ts';

/** Samples that differ from image to image. */
const samples = (count: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, i) => (37 * i + 101 * seed) % 256);

const pngOf = (width: number, height: number, channels: number, seed = 1): Uint8Array =>
  png({ width, height, channels, depth: 8, data: samples(width * height * channels, seed) });

const jpegOf = (width: number, height: number): Buffer => {
  const data = new Uint8Array(4 * width * height).fill(200);
  return jpeg({ width, height, data }, 95).data;
};

const put = (file: string, bytes: Uint8Array): string => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  return file;
};

describe('image files', () => {
  it.each([1, 3])('are read to the very samples, PNG of %i channels', async (channels) => {
    using space = workspace();
    const file = put(space.path('a.png'), pngOf(5, 4, channels));
    expect(await readImage(file, 'a.png')).toEqual({ width: 5, height: 4, channels, data: samples(20 * channels, 1) });
  });

  it('are read without a transparency that hides nothing', async () => {
    using space = workspace();
    const data = Uint8Array.of(1, 2, 3, 255, 4, 5, 6, 255);
    const file = put(space.path('a.png'), png({ width: 2, height: 1, channels: 4, depth: 8, data }));
    expect(await readImage(file, 'a.png')).toMatchObject({ channels: 3, data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  });

  it('are read near the samples that were saved, JPEG', async () => {
    using space = workspace();
    const { channels, data, width, height } = await readImage(put(space.path('a.jpg'), jpegOf(9, 8)), 'a.jpg');
    expect([channels, width, height]).toEqual([3, 9, 8]);
    expect(data).toHaveLength(3 * 72);
    expect(data.every((sample) => Math.abs(sample - 200) <= 2)).toBe(true);
  });

  const sixteen = () => png({ width: 2, height: 1, channels: 1, depth: 16, data: Uint16Array.of(1, 60_000) });
  const clear = () => png({ width: 1, height: 1, channels: 2, depth: 8, data: Uint8Array.of(9, 0) });
  const animated = () => {
    const bytes = Buffer.from(pngOf(2, 2, 1));
    const chunk = Buffer.concat([Buffer.from([0, 0, 0, 8]), Buffer.from('acTL'), Buffer.alloc(8 + 4)]);
    return Buffer.concat([bytes.subarray(0, 33), chunk, bytes.subarray(33)]);
  };
  const turned = () => {
    const tiff = Buffer.from('4578696600004d4d002a00000008000101120003000000010006000000000000', 'hex');
    const length = Buffer.alloc(2);
    length.writeUInt16BE(tiff.length + 2);
    const bytes = jpegOf(8, 8);
    return Buffer.concat([bytes.subarray(0, 2), Buffer.from([0xff, 0xe1]), length, tiff, bytes.subarray(2)]);
  };

  it.each([
    ['a.png', sixteen, 'a.png has 16 bits a sample; expected 8'],
    ['a.png', clear, 'a.png has transparent pixels'],
    ['a.png', animated, 'a.png is animated'],
    ['a.png', () => pngOf(9, 9, 3).subarray(0, 120), 'a.png is damaged or cut off (its end is missing)'],
    ['a.png', () => pngOf(9, 9, 3).subarray(0, 20), 'a.png is damaged or cut off (it has no head)'],
    ['a.png', () => Buffer.from('GIF89a'), 'a.png is no PNG or JPEG file'],
    ['a.jpg', () => jpegOf(64, 64).subarray(0, -40), 'a.jpg is damaged or cut off'],
    ['a.jpg', () => jpegOf(64, 64).subarray(0, 60), 'a.jpg is damaged or cut off (it has no head)'],
    ['a.jpg', turned, 'a.jpg is to be turned for showing (EXIF orientation 6)'],
  ])('that are wrong are refused: %s %#', async (name, bytes, message) => {
    using space = workspace();
    const file = put(space.path(name), bytes());
    await expect(readImage(file, name)).rejects.toThrow(message);
  });
});

describe('a folder of images', () => {
  const classes = ['cat', 'dog'];
  const filled = (space: ReturnType<typeof workspace>): void => {
    for (const [c, name] of classes.entries()) {
      for (let i = 0; i < 12; i++) put(space.path(`pets/${name}/${i}.png`), pngOf(6, 4, 3, 20 * c + i));
    }
  };
  const config = dataSchema.parse({ uses: 'folder', folder: 'pets', task: 'image-classification' });

  it('is split by class, and says what an image is called', async () => {
    using space = workspace();
    filled(space);
    expect(taskOfData(config)).toBe('image-classification');
    expect(await check(config, space.folder)).toEqual([]);
    const { dataset } = await load(config, space.folder);
    expect(dataset.classes).toEqual(classes);
    const all = [...dataset.train, ...dataset.validation, ...dataset.test];
    expect(all).toHaveLength(24);
    const seventh = all.find(({ text }) => text === 'dog/7.png');
    expect(seventh).toMatchObject({ target: 1, pixels: { width: 6, height: 4, channels: 3, data: samples(72, 27) } });
  });

  it('has an image once that lies in it twice, whatever its names', async () => {
    using space = workspace();
    filled(space);
    put(space.path('pets/cat/again.png'), pngOf(6, 4, 3, 3));
    expect((await load(config, space.folder)).duplicates).toBe(1);
  });

  it.each([
    [pngOf(4, 6, 3), 'has 4 x 6 pixels of 3 channels, pets/cat/0.png 6 x 4 pixels of 3 channels'],
    [pngOf(6, 4, 1), 'has 6 x 4 pixels of 1 channel, pets/cat/0.png 6 x 4 pixels of 3 channels'],
    [Buffer.from('nothing'), 'is no PNG or JPEG file'],
  ])('is refused before anything runs where one of them is another than the rest %#', async (bytes, message) => {
    using space = workspace();
    filled(space);
    put(space.path('pets/dog/wrong.png'), bytes);
    const problems = await check(config, space.folder);
    expect(problems.map((problem) => problem.message).join()).toContain(`pets/dog/wrong.png ${message}`);
  });

  it('without any image says what it holds instead', async () => {
    using space = workspace();
    put(space.path('pets/cat/a.txt'), Buffer.from('a text'));
    const [problem] = await check(config, space.folder);
    expect(problem?.message).toContain("has no .png or .jpg file, but 'cat/a.txt'");
  });
});

describe('MNIST', () => {
  it('has the test digits that were published, and splits off some of the others to validate', async () => {
    using space = workspace();
    smallPackages.mnist?.(space);
    const { dataset } = await load(dataSchema.parse({ uses: 'mnist' }), space.folder);
    const { train, validation, test } = dataset;
    expect(train.length + validation.length).toBe(400);
    expect(test).toHaveLength(60);
    expect(test.every(({ text }) => text.startsWith('t10k '))).toBe(true);
    expect([...train, ...validation].every(({ text }) => text.startsWith('train '))).toBe(true);
    expect(train[0]?.pixels).toMatchObject({ width: 28, height: 28, channels: 1 });
  });

  it.each([
    [Buffer.from([0, 0, 13, 1, 0, 0, 0, 1, 9]), 'is no IDX file of unsigned bytes'],
    [Buffer.from([0, 0, 8, 1, 0, 0, 0, 2, 9]), 'holds 1 numbers; its head announces 2'],
    [Buffer.from([0, 0, 8, 3, 0]), 'ends within its head'],
  ])('is refused where a file is damaged %#', (bytes, message) => {
    expect(() => readIdx(bytes, 'images')).toThrow(message);
  });
});
