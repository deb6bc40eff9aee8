import type { OpDef } from '../op.ts';
import { refuseCut } from './shared-cuts.ts';
import { dtypeOfNumber, inputOf, intAttr, noMacs } from './shared-structure.ts';

/** Ones on a diagonal, in the shape of x. */
export const eyeLike: OpDef = {
  domain: '',
  op: 'EyeLike',
  since: 9,
  infer: (call) => {
    const { dtype, shape } = inputOf(call, 0);
    const number = intAttr(call.node, 'dtype', 0);
    return [{ dtype: number === 0 ? dtype : dtypeOfNumber(call, number), shape }];
  },
  gradient: 'stop',
  cut: refuseCut('places its ones by position'),
  macs: noMacs,
  samples: [
    { name: 'the type of x', inputs: [{ dtype: 'float32', dims: [3, 4] }] },
    { name: 'another type, off the diagonal', inputs: [{ dtype: 'float32', dims: [3, 4] }], attrs: { dtype: 7, k: 1 } },
  ],
};
