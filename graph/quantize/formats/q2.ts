import type { Format } from '../format.ts';

export const q2 = {
  name: 'q2',
  dtype: 'q2',
  summary: '2-bit weights in blocks, tables in 4 bits, activations in float32: for models that were trained for it',
  products: { kind: 'blocks', bits: 2 },
  tables: { kind: 'blocks', bits: 4 },
  floats: 'float32',
} as const satisfies Format;
