import type { Format } from '../format.ts';

export const fp16 = {
  name: 'fp16',
  dtype: 'fp16',
  summary: 'float16 weights and products, half the bytes: for GPUs and WebGPU',
  products: { kind: 'floats' },
  tables: { kind: 'floats' },
  floats: 'float16',
} as const satisfies Format;
