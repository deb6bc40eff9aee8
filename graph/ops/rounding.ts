import type { Call, Inferred, OpDef } from '../op.ts';
import { broadcastCut } from './shared-cuts.ts';
import { inputOf, noMacs } from './shared-structure.ts';

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  return [{ dtype, shape }];
};

const stepwise = (op: string, since: number): OpDef => ({
  domain: '',
  op,
  since,
  infer,
  gradient: 'stop',
  cut: broadcastCut(infer),
  macs: noMacs,
  samples: [{ name: 'elementwise', inputs: [{ dtype: 'float32', dims: [2, 3], range: [-2, 2] }] }],
});

/** Step functions: their derivative is zero wherever it exists. */
export const rounding: readonly OpDef[] = [
  stepwise('Ceil', 6),
  stepwise('Floor', 6),
  stepwise('Round', 11),
  stepwise('Sign', 9),
];
