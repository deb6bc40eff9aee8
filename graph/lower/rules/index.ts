import type { AnyRule } from '../../rewrite/rule.ts';
import { filledShape, idleLogSum, idleSquareSum, mean, sign, sum } from './arithmetic.ts';
import { packedAttention, plainAttention } from './attention.ts';
import { idleDropout } from './dropout.ts';
import { logSoftmax } from './log-softmax.ts';
import { notANumber, or, xor } from './logic.ts';
import { fusedProduct } from './products.ts';
import { summedRows } from './rows.ts';
import { cosine, sine } from './waves.ts';

/** Operators in other words, for devices that have no kernel for them or a wrong one. A target lists those that it needs. */
export const loweringRules = {
  cosine,
  filledShape,
  fusedProduct,
  idleDropout,
  idleLogSum,
  idleSquareSum,
  notANumber,
  logSoftmax,
  packedAttention,
  mean,
  or,
  plainAttention,
  sign,
  sine,
  sum,
  summedRows,
  xor,
} as const satisfies Readonly<Record<string, AnyRule>>;
