import type { Format } from '../format.ts';

export const uint8 = {
  name: 'uint8',
  dtype: 'uint8',
  summary: 'the numbers of int8 as unsigned bytes, for runtimes that multiply only those',
  products: { kind: 'integers', signed: false, ranges: 'as it runs' },
  tables: { kind: 'integers' },
  floats: 'float32',
} as const satisfies Format;
