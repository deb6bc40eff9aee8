import type { Call, Inferred, OpDef } from '../op.ts';
import { axisCut } from './shared-cuts.ts';
import { inputOf, noMacs, withInts } from './shared-structure.ts';
import { passed } from './shared-uses.ts';

const infer = (call: Call): readonly Inferred[] => [withInts(inputOf(call, 0), call.ints(0))];

/** y = x. */
export const identity: OpDef = {
  domain: '',
  op: 'Identity',
  uses: passed,
  view: true,
  since: 1,
  infer,
  gradient: (_emit, _call, [dy]) => [dy ?? null],
  cut: axisCut(infer, (_call, axis) => axis, 'has no such axis'),
  macs: noMacs,
  samples: [{ name: 'copies', inputs: [{ dtype: 'float32', dims: [2, 3] }] }],
};
