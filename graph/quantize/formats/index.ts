import type { Format } from '../format.ts';
import { fp16 } from './fp16.ts';
import { int8 } from './int8.ts';
import { int8Static } from './int8-static.ts';
import { q2 } from './q2.ts';
import { q4 } from './q4.ts';
import { q4f16 } from './q4f16.ts';
import { q8Blocks } from './q8-blocks.ts';
import { uint8 } from './uint8.ts';

/** Every format that a model can be stored in, the default first. */
export const formats = [int8, uint8, int8Static, fp16, q4, q4f16, q8Blocks, q2] as const satisfies readonly Format[];

/** As people name one. */
export type FormatName = (typeof formats)[number]['name'];
