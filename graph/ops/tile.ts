import { refusal } from '../../ground/errors.ts';
import { divideDims, multiplyDims, type Shape } from '../dim.ts';
import type { Value } from '../graph.ts';
import type { Call, Emit, Inferred, OpDef } from '../op.ts';
import { cutsOf, refuse, ruleByPort } from './shared-cuts.ts';
import { entryOf, sizesVector } from './shared-emit.ts';
import { operand, reduce } from './shared-math.ts';
import { freshDim, inputOf, noMacs, numbersAt } from './shared-structure.ts';
import { passed } from './shared-uses.ts';

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  const repeats = call.ints(1);
  return [
    {
      dtype,
      shape: shape?.map((dim, axis) => {
        const times = repeats?.[axis];
        return times === undefined ? freshDim(call, 0, axis) : multiplyDims(dim, times);
      }),
    },
  ];
};

/** (r0, n0, r1, n1, ...): a constant where the repeats are. */
const spreadShape = (emit: Emit, call: Call, x: Value): Value => {
  const repeats = numbersAt(call, 1);
  if (repeats !== undefined) {
    return sizesVector(
      emit,
      repeats.flatMap((times, axis) => [times, entryOf(emit, x, axis)]),
    );
  }
  const columns = [operand(call, 1), emit.shapeOf(x)].map((sizes) => emit.op('Reshape', [sizes, emit.ints([-1, 1])]));
  return emit.op('Reshape', [emit.op('Concat', columns, { axis: 1 }), emit.ints([-1])]);
};

/** dx = sum over the repeats: dy as (r0, n0, r1, n1, ...), summed over the r. */
const gradientOf = (emit: Emit, call: Call, x: Value, dy: Value): Value => {
  const rank = emit.type(x).shape?.length;
  if (rank === undefined) throw refusal(`Tile '${call.node.name}': the rank of its input is not known`);
  const spread = emit.op('Reshape', [dy, spreadShape(emit, call, x)]);
  const repeats = Array.from({ length: rank }, (_, axis) => 2 * axis);
  return reduce(emit, 'ReduceSum', spread, repeats, false);
};

/** How often each axis is repeated where the output has a shape. */
const timesFor = (call: Call, output: Shape): Shape | undefined => {
  const times = inputOf(call, 0).shape?.map((dim, axis) => divideDims(output[axis] ?? 1, dim));
  const whole = times?.filter((dim) => dim !== undefined);
  return whole?.length === output.length ? whole : undefined;
};

const repeats = (data: readonly number[]) => ({ dtype: 'int64', dims: [data.length], data, constant: true }) as const;

/** x repeated whole along each axis. */
export const tile: OpDef = {
  domain: '',
  op: 'Tile',
  uses: passed,
  since: 6,
  infer,
  gradient: (emit, call, [dy]) => {
    const [x] = call.node.inputs;
    return [dy == null || x == null ? null : gradientOf(emit, call, x, dy), null];
  },
  cut: ruleByPort(infer, (call, port, cut, ports) => {
    const [x] = ports;
    const y = ports.find((p) => p.kind === 'output');
    const times = numbersAt(call, 1)?.[cut.axis];
    const size = x?.shape?.[cut.axis];
    if (x === undefined || y === undefined || times === undefined) return refuse('has repeats that are not constant');
    if (port.kind === 'input' && port !== x) return refuse('cannot lose entries of its repeats');
    if (port === x) {
      const owner = Int32Array.from(
        { length: times * cut.owner.length },
        (_, i) => cut.owner[i % cut.owner.length] ?? -1,
      );
      return { cuts: cutsOf(y.value, cut.axis, owner) };
    }
    if (typeof size !== 'number') return refuse(`repeats a symbolic axis ${cut.axis}`);
    const first = cut.owner.slice(0, size);
    const merges = [...cut.owner.slice(size)].map((unit, i) => [first[i % size] ?? -1, unit] as const);
    return { cuts: cutsOf(x.value, cut.axis, first), merges: merges.filter(([a, b]) => a !== b) };
  }),
  target: { input: 1, entries: timesFor },
  macs: noMacs,
  samples: [
    { name: 'two axes', inputs: [{ dtype: 'float32', dims: [2, 3] }, repeats([3, 2])] },
    { name: 'leaves an axis alone', inputs: [{ dtype: 'float32', dims: [2, 1, 3] }, repeats([1, 4, 1])] },
  ],
};
