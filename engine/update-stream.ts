import { type Stream, stream } from '../data/random.ts';

/**
 * The stream of an update, whichever of its passes draws: what is drawn does not depend on the pieces that it is cut into.
 */
export const updateStream = (seed: number, purpose: string, step: number, ...more: readonly number[]): Stream =>
  stream(seed, purpose, step, 0, ...more);
