import { z } from 'zod';

/** How an engine did in the first updates of a training run. */
const engineTried = z.looseObject({
  engine: z.string(),
  device: z.string(),
  /** Null where it made no update, or none was needed. */
  tokensPerSecond: z.number().nullable(),
  /** Why it is left out; null where it could be chosen. */
  problem: z.string().nullable(),
});

export type EngineTried = z.infer<typeof engineTried>;

/** Which engine a training run gets, and by what. */
export const choice = z.looseObject({
  engine: z.string(),
  tried: z.array(engineTried),
});

export type Choice = z.infer<typeof choice>;
