import { z } from 'zod';
import { type PixelRule, pixelsIn } from '../../models/model.ts';
import { dataFed } from '../feeds.ts';
import { updateStream } from '../update-stream.ts';
import { type Beside, defineAugmentation } from './augmentation.ts';

const within = (at: number, size: number): number => Math.min(size - 1, Math.max(0, at));

/** Moves an image so many pixels down and to the right: what comes in at an edge is what stood there. */
const move = (
  image: Float32Array,
  { channels, height, width }: PixelRule,
  [down, right]: readonly [number, number],
): void => {
  const before = image.slice();
  for (let row = 0, to = 0; row < channels * height; row++) {
    const from = (row - (row % height) + within((row % height) - down, height)) * width;
    for (let column = 0; column < width; column++) image[to++] = before[from + within(column - right, width)] as number;
  }
};

const problem = ({ inside }: Beside): string | undefined =>
  inside === undefined
    ? undefined
    : `'${inside}' compares what models compute of the places of an image, and its teacher is given the image where it was: leave shift out`;

/** Images are met at other places in every update (Simard et al. 2003, "Best practices for convolutional neural networks"). */
export const shift = defineAugmentation({
  uses: 'shift',
  summary: 'images are moved, other ones in every update',
  reads: 'images',
  options: {
    pixels: z
      .int()
      .min(1)
      .max(64)
      .default(1)
      .describe('pixels that an image is moved at most, up or down and left or right'),
  },
  problem,
  make: ({ pixels: most }, { seed }) => ({
    feed: ({ model, feeds, batch, step }) => {
      const data = dataFed(model, feeds, 'pixels');
      if (!(data instanceof Float32Array)) return;
      const rule = pixelsIn(model.processor);
      const size = data.length / batch.rows.length;
      batch.rows.forEach((row, i) => {
        const random = updateStream(seed, 'shift', step, row);
        const by = (): number => random.integer(2 * most + 1) - most;
        move(data.subarray(i * size, (i + 1) * size), rule, [by(), by()]);
      });
    },
  }),
});
