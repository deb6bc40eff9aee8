import { divideDims } from '../dim.ts';
import type { Call, Inferred, OpDef } from '../op.ts';
import { broadcastCut } from './shared-cuts.ts';
import { type Arithmetic, inferInts } from './shared-ints.ts';
import { inputOf, intAttr, isFloat, noMacs } from './shared-structure.ts';

/** The rest has the sign of what divides, or where told so that of what is divided. */
const rest =
  (call: Call): Arithmetic =>
  (a, b) => {
    if (typeof a !== 'number' || typeof b !== 'number') return divideDims(a, b) === undefined ? undefined : 0;
    if (b === 0) return undefined;
    const signed = (a % b) + 0;
    return intAttr(call.node, 'fmod', 0) === 0 && signed * b < 0 ? signed + b : signed;
  };

const infer = (call: Call): readonly Inferred[] => inferInts(rest(call))(call);

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
