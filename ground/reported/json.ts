import { z } from 'zod';
import type { Json } from '../json.ts';

/** Whatever JSON can say. */
export const json: z.ZodType<Json> = z.json();
