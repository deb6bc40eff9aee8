import { best } from './best.ts';
import { mean } from './mean.ts';
import type { Way } from './way.ts';

/** Every way to make one teacher of several; the first is the usual one. */
export const ways: readonly [Way, ...Way[]] = [mean, best];

/** The way of a name. */
export const wayOf = (by: string): Way => {
  const way = ways.find(({ name }) => name === by);
  if (way === undefined) throw new Error(`no way to mix teachers is called ${by}`);
  return way;
};
