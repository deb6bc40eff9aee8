import { refusal } from '../../ground/errors.ts';
import type { Value } from '../graph.ts';
import type { Call, CutEffect, Emit, Inferred, OpDef, Refusal } from '../op.ts';
import { cutsOf, type Port, refuse, ruleByPort } from './shared-cuts.ts';
import { named, normalizedIds, scalarSizeOf, sizeOf, zerosLike } from './shared-emit.ts';
import { describe, inputOf, intAttr, isFloat, noMacs, normalizeAxis, stringAttr } from './shared-structure.ts';
import { lookedUp } from './shared-uses.ts';

const axisOf = (call: Call, rank: number): number => normalizeAxis(call, intAttr(call.node, 'axis', 0), rank);

const inferGather = (call: Call): readonly Inferred[] => [
  { dtype: inputOf(call, 0).dtype, shape: inputOf(call, 1).shape },
];

const inferScatter = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  return [{ dtype, shape }];
};

/** Whether each row of x gives exactly one element: then dx needs no scatter. */
const picksOne = (call: Call, axis: number): boolean => {
  const [x, ids] = [inputOf(call, 0).shape, inputOf(call, 1).shape];
  return x !== undefined && ids?.[axis] === 1 && x.every((dim, i) => i === axis || dim === ids[i]);
};

/** dx = dy where the running number of the axis is the index, else 0: (.., 1, ..) against (n, 1, ..). */
const pickedGradient = (emit: Emit, x: Value, ids: Value, dy: Value, axis: number, rank: number): Value => {
  const numbers = emit.op('Range', [emit.scalar('int64', 0), scalarSizeOf(emit, x, axis), emit.scalar('int64', 1)]);
  const column = emit.op('Reshape', [numbers, emit.ints([-1, ...new Array<number>(rank - 1 - axis).fill(1)])]);
  const here = emit.op('Equal', [normalizedIds(emit, ids, sizeOf(emit, x, axis)), column]);
  return emit.op('Where', [here, dy, emit.scalar(emit.type(dy).dtype, 0)]);
};

/**
 * Cuts of element-wise picking along one axis. Off the axis everything shrinks together, provided that the indices span
 * the data there; on it, indices and what they pick or write shrink together, the numbered data cannot.
 */
const elementsCut = (
  call: Call,
  port: Port,
  cut: { axis: number; owner: Int32Array },
  ports: readonly Port[],
): CutEffect | Refusal => {
  const rank = ports[0]?.shape?.length;
  if (rank === undefined) return refuse('has an unknown shape');
  const axis = axisOf(call, rank);
  const size = cut.owner.length;
  const scatters = call.node.op === 'ScatterElements';
  const numbered = ports.filter((p) => p.position === 0 && (scatters || p.kind === 'input'));
  if (cut.axis === axis) {
    if (numbered.includes(port)) return refuse(`numbers the indices of axis ${axis}`);
    if (scatters && stringAttr(call.node, 'reduction', 'none') !== 'add') {
      return refuse(`writes along axis ${axis}: what is under a missing element would show`);
    }
    return { cuts: ports.filter((p) => !numbered.includes(p)).flatMap((p) => cutsOf(p.value, axis, cut.owner)) };
  }
  if (ports.some((p) => p.shape?.[cut.axis] !== size))
    return refuse(`has indices that span only a part of axis ${cut.axis}`);
  return { cuts: ports.flatMap((p) => cutsOf(p.value, cut.axis, cut.owner)) };
};

const x = { dtype: 'float32', dims: [3, 4] } as const;
const ids = (dims: readonly number[], data: readonly number[]) => ({ dtype: 'int64', dims, data }) as const;

/** y[i][j] = x[ids[i][j]][j] for axis 0: one index an element. Its gradient adds elements of equal index. */
export const gatherElements: OpDef = {
  domain: '',
  op: 'GatherElements',
  uses: (call) => lookedUp(call, intAttr(call.node, 'axis', 0)),
  since: 11,
  infer: inferGather,
  gradient: (emit, call, [dy]) => {
    const [data, indices] = call.node.inputs;
    const rank = inputOf(call, 0).shape?.length ?? inputOf(call, 1).shape?.length;
    if (dy == null || data == null || indices == null || rank === undefined) return [null, null];
    const axis = axisOf(call, rank);
    if (picksOne(call, axis)) return [pickedGradient(emit, data, indices, dy, axis, rank), null];
    return [emit.op('ScatterElements', [zerosLike(emit, data), indices, dy], { axis, reduction: 'add' }), null];
  },
  masks: () => [0],
  cut: ruleByPort(inferGather, elementsCut),
  macs: noMacs,
  samples: [
    { name: 'one a row', inputs: [x, ids([3, 1], [0, 3, -1])], attrs: { axis: 1 } },
    { name: 'repeated', inputs: [x, ids([2, 4], [2, 2, 0, 1, 2, 0, -3, 1])], attrs: { axis: 0 } },
    { name: 'fewer rows than the data', inputs: [x, ids([2, 3], [0, 3, 3, 1, 1, 1])], attrs: { axis: 1 } },
  ],
};

/**
 * x with some elements replaced (or added to). Replaced: dx = dy with zeros there, dupdates = dy there. Added: dx = dy.
 */
export const scatterElements: readonly OpDef[] = [11, 16].map((since) => ({
  domain: '',
  op: 'ScatterElements',
  since,
  infer: inferScatter,
  gradient: (emit, call, [dy]) => {
    const [, indices, updates] = call.node.inputs;
    if (dy == null || indices == null || updates == null || !isFloat(inputOf(call, 0).dtype)) return [null, null, null];
    const attrs = { axis: intAttr(call.node, 'axis', 0) };
    const picked = named(emit, emit.op('GatherElements', [dy, indices], attrs), updates);
    const reduction = stringAttr(call.node, 'reduction', 'none');
    if (reduction === 'add') return [dy, null, picked];
    if (reduction !== 'none') throw refusal(`${describe(call)}: no gradient for reduction '${reduction}'`);
    return [emit.op('ScatterElements', [dy, indices, zerosLike(emit, updates)], attrs), null, picked];
  },
  masks: () => [0],
  cut: ruleByPort(inferScatter, elementsCut),
  macs: noMacs,
  samples: [
    {
      name: 'replaces along rows',
      inputs: [x, ids([3, 2], [0, 3, 1, 2, -1, 0]), { dtype: 'float32', dims: [3, 2] }],
      attrs: { axis: 1 },
    },
    ...(since < 16
      ? []
      : [
          {
            name: 'adds repeated elements',
            inputs: [x, ids([2, 4], [2, 2, 0, 1, 2, 0, 0, 1]), { dtype: 'float32', dims: [2, 4] }] as const,
            attrs: { axis: 0, reduction: 'add' },
          },
        ]),
  ],
}));
