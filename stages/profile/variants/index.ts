import { fusedAttention, narrowHeads, wideHeads } from './heads.ts';
import { chain, empty } from './idle.ts';
import { float, signed } from './integers.ts';
import { quantized } from './quantized.ts';
import type { Variant } from './variant.ts';
import { without } from './without.ts';
import { cut, dense } from './zeros.ts';

/** Every changed graph that can be timed beside a model, in the order of each round. */
export const variants: readonly Variant[] = [
  empty,
  chain,
  ...without,
  quantized,
  float,
  signed,
  fusedAttention,
  dense,
  cut,
  narrowHeads,
  wideHeads,
];
