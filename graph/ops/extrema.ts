import type { Dim } from '../dim.ts';
import type { Value } from '../graph.ts';
import type { Call, Emit, Gradient, Inferred, OpDef, Sample } from '../op.ts';
import { broadcastCut } from './shared-cuts.ts';
import { equals, floats, indicator, inferBroadcast, result, scale, selected } from './shared-math.ts';
import { broadcastInts, inputOf, noMacs, withInts } from './shared-structure.ts';
import { everyInput } from './shared-uses.ts';

/** The extreme of known numbers; of symbols only where all are equal. */
const extreme = (pick: (...numbers: number[]) => number, dims: readonly Dim[]): Dim | undefined => {
  const numbers = dims.filter((dim) => typeof dim === 'number');
  if (numbers.length === dims.length) return pick(...numbers);
  return dims.every((dim) => dim === dims[0]) ? dims[0] : undefined;
};

const inferExtreme =
  (pick: (...numbers: number[]) => number) =>
  (call: Call): readonly Inferred[] =>
    inferBroadcast(call).map((type) => {
      const { shape } = type;
      if (shape === undefined) return type;
      const all = call.inputs.map((input, i) => {
        const ints = call.ints(i);
        return ints === undefined || input?.shape === undefined ? undefined : broadcastInts(ints, input.shape, shape);
      });
      const found = all[0]?.map((_, i) =>
        extreme(
          pick,
          all.map((ints) => ints?.[i] ?? Number.NaN),
        ),
      );
      const ints = found?.filter((dim) => dim !== undefined && !Number.isNaN(dim)).filter((dim) => dim !== undefined);
      return withInts(type, ints?.length === found?.length ? ints : undefined);
    });

const total = (emit: Emit, parts: readonly Value[]): Value =>
  parts.length === 1 ? (parts[0] as Value) : emit.op('Sum', parts);

/** y = extreme of all x:  dx = dy where x = y, shared among equals. */
const shareOfEqual: Gradient = (emit, call, [dy]) => {
  if (dy == null) return call.node.inputs.map(() => null);
  const y = result(call);
  const equal = call.node.inputs.flatMap((x) => (x === null ? [] : [equals(emit, x, y)]));
  const count = total(
    emit,
    equal.map((mask) => indicator(emit, mask, dy)),
  );
  const share = emit.op('Div', [dy, count]);
  return equal.map((mask) => selected(emit, mask, share));
};

/** Every input is the largest somewhere and the smallest somewhere. */
const samples: readonly Sample[] = [
  { name: 'two of a shape', inputs: [floats(2, 3), floats(2, 3)] },
  {
    name: 'three that broadcast',
    inputs: [
      { dtype: 'float32', dims: [2, 3], data: [1.5, -0.3, 0.9, 0.4, -1.7, 0.1] },
      { dtype: 'float32', dims: [3], data: [-1.2, 0.2, 1.1] },
      { dtype: 'float32', dims: [2, 1], data: [0.7, -0.8] },
    ],
  },
  { name: 'one alone', inputs: [floats(2, 3)] },
];

const extremum = (op: string, pick: (...numbers: number[]) => number): OpDef => {
  const infer = inferExtreme(pick);
  return {
    domain: '',
    op,
    since: 8,
    infer,
    alike: 'all',
    gradient: shareOfEqual,
    masks: (call) => [...call.node.inputs.keys()],
    cut: broadcastCut(infer),
    macs: noMacs,
    samples,
  };
};

/** The largest of several values, element by element. */
export const max = extremum('Max', Math.max);

/** The smallest of several values, element by element. */
export const min = extremum('Min', Math.min);

const variadic = (op: string, gradient: Gradient): OpDef => ({
  domain: '',
  op,
  since: 8,
  infer: inferBroadcast,
  alike: 'all',
  gradient,
  cut: broadcastCut(inferBroadcast),
  uses: everyInput('bias'),
  macs: noMacs,
  samples,
});

/** y = sum of all x:  dx = dy. */
export const sum = variadic('Sum', (_emit, call, [dy]) => call.node.inputs.map(() => dy ?? null));

/** y = sum of all x / n:  dx = dy / n. */
export const mean = variadic('Mean', (emit, call, [dy]) => {
  const share = dy == null ? null : scale(emit, dy, 1 / call.node.inputs.length);
  return call.node.inputs.map(() => share);
});

const inferClip = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  return [{ dtype, shape }];
};

/** The bound at an input, where it is one that can have a gradient. */
const outside = (emit: Emit, call: Call, dy: Value, position: number, comparison: string): Value | null => {
  const [x, bound] = [call.node.inputs[0], call.node.inputs[position]];
  if (x == null || bound == null) return null;
  return selected(emit, emit.op(comparison, [x, bound]), dy);
};

/**
 * y = min(max(x, low), high):  dx = dy where y = x;  dlow = dy where x < low;  dhigh = dy where x > high. Before opset 11 the
 * bounds are attributes.
 */
export const clip: OpDef = {
  domain: '',
  op: 'Clip',
  since: 6,
  infer: inferClip,
  gradient: (emit, call, [dy]) => {
    const [x] = call.node.inputs;
    if (dy == null || x == null) return call.node.inputs.map(() => null);
    const dx = selected(emit, equals(emit, x, result(call)), dy);
    const all = [dx, outside(emit, call, dy, 1, 'Less'), outside(emit, call, dy, 2, 'Greater')];
    return all.slice(0, call.node.inputs.length);
  },
  masks: () => [0],
  cut: broadcastCut(inferClip, [0]),
  macs: noMacs,
  samples: [
    {
      name: 'both bounds',
      inputs: [floats(3, 4), { dtype: 'float32', dims: [], data: [-0.4] }, { dtype: 'float32', dims: [], data: [0.6] }],
    },
    { name: 'from below', inputs: [floats(3, 4), { dtype: 'float32', dims: [], data: [0.1], constant: true }] },
    { name: 'from above', inputs: [floats(3, 4), null, { dtype: 'float32', dims: [], data: [0.1], constant: true }] },
  ],
};
