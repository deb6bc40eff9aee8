import type { Value } from '../../../graph/graph.ts';
import type { Emit } from '../../../graph/op.ts';

/** How sharp samples are, and how far they are stretched beyond 0 and 1 (Louizos et al. 2018, section 4.2). */
const BETA = 2 / 3;
const GAMMA = -0.1;
const ZETA = 1.1;

/** min(1, max(0, s (zeta - gamma) + gamma)): below and above it is exactly 0 and 1. */
const stretched = (emit: Emit, s: Value): Value => {
  const [width, low] = [emit.scalar('float32', ZETA - GAMMA), emit.scalar('float32', GAMMA)];
  const wide = emit.op('Add', [emit.op('Mul', [s, width]), low]);
  return emit.op('Clip', [wide, emit.scalar('float32', 0), emit.scalar('float32', 1)]);
};

/** z = stretched(sigmoid((log u - log(1 - u) + log a) / beta)): a sample of the hard concrete distribution (Louizos et al. 2018, 1712.01312, eq. 10). */
export const emitSample = (emit: Emit, logAlpha: Value, logit: Value): Value => {
  const sharp = emit.op('Mul', [emit.op('Add', [logit, logAlpha]), emit.scalar('float32', 1 / BETA)]);
  return stretched(emit, emit.op('Sigmoid', [sharp]));
};

/** z = stretched(sigmoid(log a)): the gate without chance (eq. 13). */
export const emitMean = (emit: Emit, logAlpha: Value): Value => stretched(emit, emit.op('Sigmoid', [logAlpha]));

/** P(z > 0) = sigmoid(log a - beta log(-gamma / zeta)): what a gate counts, the norm L0 as expected (eq. 12). */
export const emitOpen = (emit: Emit, logAlpha: Value): Value => {
  const shift = emit.scalar('float32', -BETA * Math.log(-GAMMA / ZETA));
  return emit.op('Sigmoid', [emit.op('Add', [logAlpha, shift])]);
};
