import type { Dim } from '../dim.ts';
import type { Call, Inferred, OpDef } from '../op.ts';
import { broadcastCut } from './shared-cuts.ts';
import { broadcastInts, broadcastShapes, inputOf, isFloat, noMacs, withInts } from './shared-structure.ts';
import { along } from './shared-uses.ts';

const known = (call: Call, position: number, to: Inferred['shape']): readonly Dim[] | undefined => {
  const ints = call.ints(position);
  const from = call.inputs[position]?.shape;
  return ints === undefined || from === undefined || to === undefined ? undefined : broadcastInts(ints, from, to);
};

const infer = (call: Call): readonly Inferred[] => {
  const { dtype } = inputOf(call, 1);
  const shape = broadcastShapes(
    call,
    [0, 1, 2].map((i) => inputOf(call, i).shape),
  );
  const [condition, x, y] = [0, 1, 2].map((i) => known(call, i, shape));
  const chosen = condition?.map((c, i) => (typeof c !== 'number' ? undefined : c === 0 ? y?.[i] : x?.[i]));
  const ints = chosen?.filter((dim) => dim !== undefined);
  return [withInts({ dtype, shape }, ints?.length === chosen?.length ? ints : undefined)];
};

/** z = x where c, else y:  dx = dy where c, else 0;  dy' = 0 where c, else dy. */
export const where: OpDef = {
  domain: '',
  op: 'Where',
  uses: (call) => along(call, { 1: 'table', 2: 'table' }),
  since: 9,
  infer,
  alike: [1, 2],
  gradient: (emit, call, [dy]) => {
    const [condition] = call.node.inputs;
    if (dy == null || condition == null || !isFloat(inputOf(call, 1).dtype)) return [null, null, null];
    const zero = emit.scalar(emit.type(dy).dtype, 0);
    return [null, emit.op('Where', [condition, dy, zero]), emit.op('Where', [condition, zero, dy])];
  },
  masks: () => [1, 2],
  holes: 'fills',
  cut: broadcastCut(infer),
  macs: noMacs,
  samples: [
    {
      name: 'equal shapes',
      inputs: [
        { dtype: 'bool', dims: [2, 3], data: [1, 0, 1, 0, 0, 1] },
        { dtype: 'float32', dims: [2, 3] },
        { dtype: 'float32', dims: [2, 3] },
      ],
    },
    {
      name: 'broadcasts a mask and a scalar',
      inputs: [
        { dtype: 'bool', dims: [2, 1, 3], data: [1, 0, 1, 0, 0, 1] },
        { dtype: 'float32', dims: [2, 4, 3] },
        { dtype: 'float32', dims: [] },
      ],
    },
  ],
};
