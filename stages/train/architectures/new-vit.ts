import type { Dataset, Pixels } from '../../../data/dataset.ts';
import { reworded, stageError } from '../../../ground/errors.ts';
import type { Model, PixelRule } from '../../../models/model.ts';
import { buildVit } from '../../../models/vit.ts';
import type { VitConfig } from './vit.ts';

const LARGEST = 255;

const round = (x: number): number => Number(x.toPrecision(4));

/** Mean and standard deviation of a channel over training images, each sample between 0 and 1. */
const spreadOf = (
  images: readonly Pixels[],
  channel: number,
): { readonly mean: number; readonly deviation: number } => {
  let [count, sum, squares] = [0, 0, 0];
  for (const { data, channels } of images) {
    for (let at = channel; at < data.length; at += channels) {
      const x = (data[at] as number) / LARGEST;
      sum += x;
      squares += x * x;
      count++;
    }
  }
  const mean = sum / count;
  const deviation = Math.sqrt(Math.max(0, squares / count - mean * mean));
  // A channel that is the same everywhere has nothing to be divided by.
  return { mean: round(mean), deviation: deviation < 1e-3 ? 1 : round(deviation) };
};

/** The images of the data: their size, and what evens out their brightness. */
const ruleFor = ({ train, unlabelled }: Dataset): PixelRule => {
  const images = [...train, ...unlabelled].flatMap(({ pixels }) => pixels ?? []);
  const [first] = images;
  if (first === undefined)
    throw stageError('a Vision Transformer reads images, and the data has texts: leave uses out');
  const { channels, height, width } = first;
  const spread = Array.from({ length: channels }, (_, channel) => spreadOf(images, channel));
  return {
    ...{ channels, height, width, scale: 1 / LARGEST },
    mean: spread.map(({ mean }) => mean),
    deviation: spread.map(({ deviation }) => deviation),
  };
};

/** Draws the weights of a model for images of the size of the training images. */
export const newVit = ({ uses: _, ...shape }: VitConfig, dataset: Dataset, seed: number): Model => {
  try {
    return buildVit({ ...shape, labels: dataset.classes, pixels: ruleFor(dataset) }, seed);
  } catch (error) {
    throw reworded(error, (message) => stageError(message, { cause: error }));
  }
};
