import type { Format } from '../format.ts';

export const q4 = {
  name: 'q4',
  dtype: 'q4',
  summary: '4-bit weights in blocks, activations in float32: the smallest for CPUs and browsers',
  products: { kind: 'blocks', bits: 4 },
  tables: { kind: 'blocks', bits: 4 },
  floats: 'float32',
} as const satisfies Format;
