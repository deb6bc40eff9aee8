import type { Format } from '../format.ts';

export const int8 = {
  name: 'int8',
  dtype: 'q8',
  summary: '8-bit weights, activations quantized as it runs: the fastest on CPUs',
  products: { kind: 'integers', signed: true, ranges: 'as it runs' },
  tables: { kind: 'integers' },
  floats: 'float32',
} as const satisfies Format;
