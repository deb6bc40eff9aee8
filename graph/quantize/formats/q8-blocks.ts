import type { Format } from '../format.ts';

export const q8Blocks = {
  name: 'q8-blocks',
  dtype: 'q8-blocks',
  summary: '8-bit weights in blocks, activations in float32: nearest to the float model, slower than int8 on texts',
  products: { kind: 'blocks', bits: 8 },
  tables: { kind: 'blocks', bits: 8 },
  floats: 'float32',
} as const satisfies Format;
