import { refusal } from '../../ground/errors.ts';
import type { Value } from '../graph.ts';
import type { Call, Emit, Inferred, OpDef, Sample } from '../op.ts';
import { cutsOf, refuse, ruleByPort } from './shared-cuts.ts';
import { normalizedIds, reshapeLike, scalarSizeOf, sizeOf, squeeze, sumRows, unsqueeze } from './shared-emit.ts';
import { describe, inputOf, intAttr, noMacs } from './shared-structure.ts';
import { lookedUp } from './shared-uses.ts';

/** Length of one index tuple: how many axes it names. */
const depthOf = (call: Call): number | undefined => {
  const depth = inputOf(call, 1).shape?.at(-1);
  return typeof depth === 'number' ? depth : undefined;
};

const batchDims = (call: Call): number => intAttr(call.node, 'batch_dims', 0);

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  const ids = inputOf(call, 1).shape;
  const depth = depthOf(call);
  if (shape === undefined || ids === undefined || depth === undefined) return [{ dtype, shape: undefined }];
  return [{ dtype, shape: [...ids.slice(0, -1), ...shape.slice(batchDims(call) + depth)] }];
};

/** Product of the sizes of a stretch of axes as a vector of one element. */
const stretchOf = (emit: Emit, x: Value, from: number, to: number): Value => {
  let product = emit.ints([1]);
  for (let axis = from; axis < to; axis++) product = emit.op('Mul', [product, sizeOf(emit, x, axis)]);
  return product;
};

/** Index tuples as single numbers into the flattened leading axes, batch axes included: (k). */
const linearIds = (emit: Emit, call: Call, x: Value, ids: Value, depth: number): Value => {
  const batches = batchDims(call);
  const rows = emit.op('Concat', [stretchOf(emit, x, 0, batches), emit.ints([-1, depth])], { axis: 0 });
  const tuples = emit.op('Reshape', [ids, rows]); // (batch, tuples, depth)
  const numbers = emit.op('Range', [
    emit.scalar('int64', 0),
    squeeze(emit, stretchOf(emit, x, 0, batches), [0]),
    emit.scalar('int64', 1),
  ]);
  let linear = unsqueeze(emit, numbers, [1]); // (batch, 1)
  for (let i = 0; i < depth; i++) {
    const size = scalarSizeOf(emit, x, batches + i);
    const component = normalizedIds(emit, emit.op('Gather', [tuples, emit.scalar('int64', i)], { axis: 2 }), size);
    linear = emit.op('Add', [emit.op('Mul', [linear, size]), component]); // (batch, tuples)
  }
  return emit.op('Reshape', [linear, emit.ints([-1])]);
};

/** dx: the tuples become row numbers, and rows of dy with equal number are summed. */
const gradientOf = (emit: Emit, call: Call, x: Value, ids: Value, dy: Value): Value => {
  const rank = inputOf(call, 0).shape?.length;
  const depth = depthOf(call);
  if (rank === undefined || depth === undefined) throw refusal(`${describe(call)} needs known ranks for its gradient`);
  const leading = batchDims(call) + depth;
  const linear = linearIds(emit, call, x, ids, depth);
  const width = stretchOf(emit, x, leading, rank);
  const rows = emit.op('Reshape', [dy, emit.op('Concat', [sizeOf(emit, linear, 0), width], { axis: 0 })]);
  return reshapeLike(emit, sumRows(emit, linear, rows, stretchOf(emit, x, 0, leading)), x);
};

const x = { dtype: 'float32', dims: [2, 3, 4] } as const;
const ids = (dims: readonly number[], data: readonly number[]) => ({ dtype: 'int64', dims, data }) as const;

const samples: readonly Sample[] = [
  { name: 'elements', inputs: [x, ids([3, 3], [0, 1, 2, 1, 2, 3, 0, 1, 2])] },
  { name: 'rows, repeated and from the end', inputs: [x, ids([2, 2, 2], [0, 1, 1, 2, 0, 1, 1, -1])] },
];

/** y = x at index tuples: whole slices where a tuple names fewer axes than x has. Opset 12 adds batch axes. */
export const gatherND: readonly OpDef[] = [11, 12].map((since) => ({
  domain: '',
  op: 'GatherND',
  uses: (call) => lookedUp(call, batchDims(call)),
  since,
  infer,
  gradient: (emit, call, [dy]) => {
    const [data, indices] = call.node.inputs;
    return [dy == null || data == null || indices == null ? null : gradientOf(emit, call, data, indices, dy), null];
  },
  cut: ruleByPort(infer, (call, port, cut, ports) => {
    const [data, indices, output] = ports;
    const depth = depthOf(call);
    const tuples = (indices?.shape?.length ?? 0) - 1;
    if (data === undefined || indices === undefined || output === undefined || depth === undefined || tuples < 0) {
      return refuse('has an unknown shape');
    }
    const batches = batchDims(call);
    const sliced = batches + depth;
    if (port === data && cut.axis >= sliced) {
      return { cuts: cutsOf(output.value, tuples + cut.axis - sliced, cut.owner) };
    }
    if (port === output && cut.axis >= tuples) {
      return { cuts: cutsOf(data.value, cut.axis - tuples + sliced, cut.owner) };
    }
    if (cut.axis < batches) return { cuts: ports.flatMap((p) => cutsOf(p.value, cut.axis, cut.owner)) };
    if (port === data) return refuse(`looks up axis ${cut.axis} of '${data.value}' by number`);
    if (port === indices && cut.axis === tuples) return refuse('cannot lose parts of its index tuples');
    return { cuts: [indices, output].flatMap((p) => cutsOf(p.value, cut.axis, cut.owner)) };
  }),
  masks: () => [0],
  macs: noMacs,
  samples:
    since < 12
      ? samples
      : [...samples, { name: 'batches', inputs: [x, ids([2, 2, 1], [0, 2, 1, 1])], attrs: { batch_dims: 1 } }],
}));
