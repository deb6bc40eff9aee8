import { z } from 'zod';

/** How many there are of something. */
export const count = z.int().min(0);

/** A time, a size, a ratio: nothing of it is less than none. */
export const amount = z.number().min(0);

/** A part of all, 0 to 1. */
export const share = z.number().min(0).max(1);
