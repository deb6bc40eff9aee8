import type { Call, Inferred, OpDef } from '../op.ts';
import { axisCut } from './shared-cuts.ts';
import { inputOf, intAttr, noMacs } from './shared-structure.ts';

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  return [{ dtype, shape }];
};

const axis = (data: number) => ({ dtype: 'int64', dims: [], data: [data], constant: true }) as const;
const x = { dtype: 'float32', dims: [2, 4] } as const;

/**
 * Running sums along one axis; the gradient runs the other way: dx_j = sum of dy_i over i >= j. Indices whose elements
 * count as zero can be left out of a running sum, so a cut passes straight through.
 */
export const cumSum: OpDef = {
  domain: '',
  op: 'CumSum',
  since: 11,
  infer,
  gradient: (emit, call, [dy]) => {
    const at = call.node.inputs[1];
    if (dy == null || at == null) return [null, null];
    const attrs = { exclusive: intAttr(call.node, 'exclusive', 0), reverse: 1 - intAttr(call.node, 'reverse', 0) };
    return [emit.op('CumSum', [dy, at], attrs), null];
  },
  mixes: true,
  cut: axisCut(infer, (_call, inputAxis) => inputAxis, 'has no such axis'),
  macs: noMacs,
  samples: [
    { name: 'forwards', inputs: [x, axis(1)] },
    { name: 'backwards without the element itself', inputs: [x, axis(0)], attrs: { reverse: 1, exclusive: 1 } },
  ],
};
