import type { Format } from '../format.ts';

export const q4f16 = {
  name: 'q4f16',
  dtype: 'q4f16',
  summary: '4-bit weights in blocks, the rest in float16: the smallest, for WebGPU',
  products: { kind: 'blocks', bits: 4 },
  tables: { kind: 'blocks', bits: 4 },
  floats: 'float16',
} as const satisfies Format;
