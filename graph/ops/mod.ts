import type { Call, Inferred, OpDef } from '../op.ts';
import { broadcastCut } from './shared-cuts.ts';
import { broadcastShapes, inputOf, isFloat, noMacs } from './shared-structure.ts';

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  return [{ dtype, shape: broadcastShapes(call, [shape, inputOf(call, 1).shape]) }];
};

/** y = a - b q with the whole number q = trunc(a / b) for floats:  da = dy,  db = -q dy. */
export const mod: OpDef = {
  domain: '',
  op: 'Mod',
  since: 10,
  infer,
  gradient: (emit, call, [dy]) => {
    const [a, b] = call.node.inputs;
    const [y] = call.node.outputs;
    if (dy == null || a == null || b == null || y === undefined || !isFloat(inputOf(call, 0).dtype))
      return [null, null];
    const quotient = emit.op('Div', [emit.op('Sub', [a, y]), b]);
    return [dy, emit.op('Neg', [emit.op('Mul', [dy, quotient])])];
  },
  cut: broadcastCut(infer),
  macs: noMacs,
  samples: [
    {
      name: 'integers',
      inputs: [
        { dtype: 'int64', dims: [2, 3], max: 20 },
        { dtype: 'int64', dims: [3], data: [3, 4, 5] },
      ],
    },
    {
      name: 'floats',
      inputs: [
        { dtype: 'float32', dims: [2, 3], data: [5.3, -4.7, 1.2, 8.1, 2.6, -9.4] },
        { dtype: 'float32', dims: [3], data: [2.1, 1.7, 3.3] },
      ],
      attrs: { fmod: 1 },
    },
  ],
};
