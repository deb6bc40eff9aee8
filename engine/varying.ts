import { type PixelRule, pixelsIn } from '../models/model.ts';
import type { Vary } from './batch-feeder.ts';
import type { TrainRequest } from './train-request.ts';

const within = (at: number, size: number): number => Math.min(size - 1, Math.max(0, at));

/** An image moved so many pixels down and to the right: what comes in at an edge is what stood there. */
const moved = (
  samples: ArrayLike<number>,
  { channels, height, width }: PixelRule,
  [down, right]: readonly [number, number],
): Uint8Array => {
  const out = new Uint8Array(samples.length);
  for (let row = 0, to = 0; row < channels * height; row++) {
    const from = (row - (row % height) + within((row % height) - down, height)) * width;
    for (let column = 0; column < width; column++) out[to++] = samples[from + within(column - right, width)] as number;
  }
  return out;
};

/** Another place of its image for every update that meets an example. */
const shifting =
  (rule: PixelRule, most: number): Vary =>
  (encoded, random) => {
    const by = (): number => random.integer(2 * most + 1) - most;
    const { pixels = new Uint8Array() } = encoded.byRole;
    return { encoded: { ...encoded, byRole: { ...encoded.byRole, pixels: moved(pixels, rule, [by(), by()]) } } };
  };

/** What gives another reading of an example for every update; undefined where all updates meet the same one. */
export const varyingOf = ({
  task,
  model,
  options,
}: Pick<TrainRequest, 'task' | 'model'> & {
  readonly options: Pick<TrainRequest['options'], 'imageShift'>;
}): Vary | undefined => {
  const { imageShift = 0 } = options;
  return imageShift > 0 ? shifting(pixelsIn(model.info.processor), imageShift) : task.varying?.(model);
};
