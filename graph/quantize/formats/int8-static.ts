import type { Format } from '../format.ts';

export const int8Static = {
  name: 'int8-static',
  dtype: 'int8',
  summary: '8-bit weights and activations of ranges known from texts, written as QDQ: for NPUs and whatever reads that',
  products: { kind: 'integers', signed: true, ranges: 'from texts' },
  tables: { kind: 'integers' },
  floats: 'float32',
} as const satisfies Format;
