import type { Call, Inferred, OpDef } from '../op.ts';
import { axisCut } from './shared-cuts.ts';
import { inputOf, intAttr, noMacs } from './shared-structure.ts';

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  return [{ dtype, shape }];
};

const x = { dtype: 'float32', dims: [2, 3, 4] } as const;

/** The upper or lower triangle of matrices, zeros elsewhere; its gradient keeps the same triangle of dy. */
export const trilu: OpDef = {
  domain: '',
  op: 'Trilu',
  since: 14,
  infer,
  gradient: (emit, call, [dy]) => {
    const [, ...k] = call.node.inputs;
    if (dy == null) return [null, ...k.map(() => null)];
    return [emit.op('Trilu', [dy, ...k], { upper: intAttr(call.node, 'upper', 1) }), ...k.map(() => null)];
  },
  cut: axisCut(
    infer,
    (_call, axis, rank) => (axis < rank - 2 ? axis : undefined),
    'chooses by position in its last two axes',
  ),
  masks: () => [0],
  macs: noMacs,
  samples: [
    { name: 'upper', inputs: [x] },
    { name: 'lower', inputs: [x], attrs: { upper: 0 } },
    {
      name: 'above the diagonal',
      inputs: [x, { dtype: 'int64', dims: [], data: [1], constant: true }],
      attrs: { upper: 1 },
    },
  ],
};
