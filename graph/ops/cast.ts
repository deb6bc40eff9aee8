import type { Dim } from '../dim.ts';
import type { Call, Gradient, Inferred, OpDef } from '../op.ts';
import { type DType, isInt32 } from '../tensor.ts';
import { axisCut, nothing } from './shared-cuts.ts';
import { dtypeNumber, dtypeOfNumber, inputOf, intAttr, isFloat, noMacs, withInts } from './shared-structure.ts';
import { passed } from './shared-uses.ts';

/** Shape arithmetic survives a cast to an integer type, and a cast of integers to bool where they are known. */
const castInts = (ints: readonly Dim[] | undefined, to: DType): readonly Dim[] | undefined => {
  if (to === 'int64') return ints;
  // What does not fit wraps around: left to the runtime.
  if (to === 'int32') return ints?.every((dim) => typeof dim !== 'number' || isInt32(dim)) ? ints : undefined;
  if (to !== 'bool') return undefined;
  return ints?.every((dim) => typeof dim === 'number') ? ints.map((dim) => (dim === 0 ? 0 : 1)) : undefined;
};

const inferTo = (call: Call, dtype: DType): readonly Inferred[] => [
  withInts({ dtype, shape: inputOf(call, 0).shape }, castInts(call.ints(0), dtype)),
];

const inferCast = (call: Call): readonly Inferred[] => inferTo(call, dtypeOfNumber(call, intAttr(call.node, 'to', 0)));

const inferCastLike = (call: Call): readonly Inferred[] => inferTo(call, inputOf(call, 1).dtype);

/** dx = dy in the type of x, between float types only. */
const gradient: Gradient = (emit, call, [dy]) => {
  const { dtype } = inputOf(call, 0);
  const none = call.node.inputs.slice(1).map(() => null);
  if (dy == null || !isFloat(dtype)) return [null, ...none];
  return [emit.type(dy).dtype === dtype ? dy : emit.op('Cast', [dy], { to: dtypeNumber(dtype) }), ...none];
};

/** The elements of x in another type. */
export const cast: OpDef = {
  domain: '',
  op: 'Cast',
  uses: passed,
  since: 9,
  infer: inferCast,
  gradient,
  cut: axisCut(inferCast, (_call, axis) => axis, 'has no such axis'),
  macs: noMacs,
  samples: [
    { name: 'to float64', inputs: [{ dtype: 'float32', dims: [2, 3] }], attrs: { to: dtypeNumber('float64') } },
    { name: 'to float32', inputs: [{ dtype: 'float32', dims: [2, 3] }], attrs: { to: dtypeNumber('float32') } },
    { name: 'integers to bool', inputs: [{ dtype: 'int64', dims: [4], max: 2 }], attrs: { to: dtypeNumber('bool') } },
    { name: 'to int32', inputs: [{ dtype: 'int64', dims: [4], max: 9 }], attrs: { to: dtypeNumber('int32') } },
  ],
};

/** The elements of x in the type of a second value. */
const sameAxes = axisCut(inferCastLike, (_call, axis) => axis, 'has no such axis');

export const castLike: OpDef = {
  domain: '',
  op: 'CastLike',
  uses: passed,
  since: 15,
  infer: inferCastLike,
  gradient,
  // Of the second input only the type counts.
  cut: (call, cut) =>
    cut.value === call.node.inputs[0] || call.node.outputs.includes(cut.value) ? sameAxes(call, cut) : nothing,
  macs: noMacs,
  samples: [
    {
      name: 'integers like floats',
      inputs: [
        { dtype: 'int64', dims: [2, 3], max: 5 },
        { dtype: 'float32', dims: [1] },
      ],
      differentiable: [],
    },
    {
      name: 'floats like floats',
      inputs: [
        { dtype: 'float32', dims: [2, 3] },
        { dtype: 'float32', dims: [1] },
      ],
      differentiable: [0],
    },
  ],
};
