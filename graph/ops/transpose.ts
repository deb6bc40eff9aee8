import { refusal } from '../../ground/errors.ts';
import type { Dim, Shape } from '../dim.ts';
import type { Call, Inferred, OpDef } from '../op.ts';
import { axisCut } from './shared-cuts.ts';
import { movedInts, upTo } from './shared-ints.ts';
import { inputOf, intsAttr, isNumeric, noMacs, withInts } from './shared-structure.ts';

const permOf = (call: Call, rank: number): readonly number[] =>
  intsAttr(call.node, 'perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);

const turnedInts = (call: Call, shape: Shape, perm: readonly number[]): readonly Dim[] | undefined => {
  const ints = call.ints(0);
  if (ints === undefined || !isNumeric(shape)) return undefined;
  return movedInts(
    ints,
    shape,
    perm,
    perm.map((axis) => upTo(shape[axis] ?? 1)),
  );
};

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  if (shape === undefined) return [{ dtype, shape }];
  const perm = permOf(call, shape.length);
  if ([...perm].sort((a, b) => a - b).join() !== shape.map((_, axis) => axis).join()) {
    throw refusal(
      `Transpose '${call.node.name}': perm [${perm.join(', ')}] is no order of the axes of [${shape.join(', ')}]`,
    );
  }
  return [withInts({ dtype, shape: perm.map((axis) => shape[axis] ?? 1) }, turnedInts(call, shape, perm))];
};

/** y[i_perm] = x[i]; the gradient undoes the permutation. */
export const transpose: OpDef = {
  domain: '',
  op: 'Transpose',
  uses: (call) => {
    const perm = permOf(call, call.inputs[0]?.shape?.length ?? 0);
    return [{ input: 0, kind: 'passed', axes: perm.map((_, axis) => perm.indexOf(axis)) }];
  },
  since: 1,
  infer,
  gradient: (emit, call, [dy]) => {
    if (dy == null) return [null];
    const perm = permOf(call, inputOf(call, 0).shape?.length ?? intsAttr(call.node, 'perm')?.length ?? 0);
    return [emit.op('Transpose', [dy], { perm: perm.map((_, axis) => perm.indexOf(axis)) })];
  },
  cut: axisCut(infer, (call, axis, rank) => permOf(call, rank).indexOf(axis), 'has no such axis'),
  macs: noMacs,
  samples: [
    { name: 'reverses by default', inputs: [{ dtype: 'float32', dims: [2, 3, 5] }] },
    {
      name: 'moves heads out',
      inputs: [{ dtype: 'float32', dims: [2, 3, 4, 5] }],
      attrs: { perm: [0, 2, 1, 3] },
    },
    { name: 'rotates three axes', inputs: [{ dtype: 'float32', dims: [2, 3, 5] }], attrs: { perm: [1, 2, 0] } },
  ],
};
