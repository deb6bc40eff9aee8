import { z } from 'zod';

export const bounds = z.looseObject({ low: z.number(), high: z.number() });
export const interval = z.looseObject({ estimate: z.number(), low: z.number(), high: z.number() });

/** NaN and infinities are null in JSON. */
export const figure = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

/** Bounds of which one may be infinite: nothing is known on that side. */
export const openBounds = z.looseObject({
  low: z
    .number()
    .nullable()
    .transform((value) => value ?? Number.NEGATIVE_INFINITY),
  high: z
    .number()
    .nullable()
    .transform((value) => value ?? Number.POSITIVE_INFINITY),
});
