import type { AnyRule } from '../rule.ts';
import { attention } from './attention.ts';
import { gelu } from './gelu.ts';
import { lateGuard } from './late-guard.ts';
import { layerNorm } from './layer-norm.ts';
import { pooling } from './pooling.ts';
import { positionRows } from './positions.ts';
import { packProducts, packProjections } from './projections.ts';
import { plainResidual } from './residual.ts';
import { rmsNorm } from './rms-norm.ts';
import { rotary } from './rotary.ts';
import { selfAttention } from './self-attention.ts';
import { untwist } from './untwist.ts';

/** What inference fuses, in the order in which rules are tried. Every rule is here because it was measured to pay. */
export const inferenceRules: readonly AnyRule[] = [
  ...gelu,
  layerNorm,
  rmsNorm,
  untwist,
  ...lateGuard,
  attention,
  selfAttention,
  packProjections,
  packProducts,
  plainResidual,
  positionRows,
  pooling,
];

/** What decoders that remember fuse besides, where products read tokens one by one. */
export const decodingRules: readonly AnyRule[] = [rotary];
