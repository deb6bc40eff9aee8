import { z } from 'zod';
import { stream } from '../../data/random.ts';

/** A draw of a stage's own. What is usual belongs to no key: left out, it is not there. */
export const seedOption = z
  .int()
  .min(0)
  .max(2 ** 31 - 1)
  .optional()
  .describe(
    "another draw of this stage's own randomness (order of texts, dropout, new weights), beside the seed of the file: stages alike in all but this differ by chance alone",
  );

/**
 * The context of a stage with a seed of its own. Both seeds name the draw, so that runs with other seeds of the file stay
 * independent of each other.
 */
export const drawnAnew = <C extends { readonly seed: number }>(ctx: C, own: number | undefined): C =>
  own === undefined ? ctx : { ...ctx, seed: stream(ctx.seed, 'stage', own).bits() >>> 1 };
