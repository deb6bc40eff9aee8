import type { AnyRule } from '../../rewrite/rule.ts';
import { idleSquareSum, mean, power, sign, sum } from './arithmetic.ts';
import { maskedSelfAttention, paddingAsBias } from './attention.ts';
import { castLike, idleDropout } from './dropout.ts';
import { logSoftmax } from './log-softmax.ts';
import { notANumber, or, xor } from './logic.ts';
import { fusedProduct } from './products.ts';
import { summedRows } from './rows.ts';

/** Operators in other words, for devices that have no kernel for them or a wrong one. A target lists those that it needs. */
export const loweringRules = {
  castLike,
  fusedProduct,
  idleDropout,
  idleSquareSum,
  notANumber,
  logSoftmax,
  maskedSelfAttention,
  mean,
  or,
  paddingAsBias,
  power,
  sign,
  sum,
  summedRows,
  xor,
} as const satisfies Readonly<Record<string, AnyRule>>;
