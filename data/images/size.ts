import type { Pixels } from '../dataset.ts';

/** The size of an image, as messages say it. */
export const sizeText = ({ width, height, channels }: Omit<Pixels, 'data'>): string =>
  `${width} x ${height} pixels of ${channels} channel${channels === 1 ? '' : 's'}`;
