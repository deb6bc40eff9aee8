import type { Call, Inferred, OpDef } from '../op.ts';
import { numbersOf } from '../tensor.ts';
import { cutsOf, refuse, ruleByPort } from './shared-cuts.ts';
import { freshDim, inputOf, intAttr, noMacs, normalizeAxis } from './shared-structure.ts';

const axisOf = (call: Call, rank: number): number => normalizeAxis(call, intAttr(call.node, 'axis', -1), rank);

const infer = (call: Call): readonly Inferred[] => {
  const { dtype } = inputOf(call, 2);
  const { shape } = inputOf(call, 0);
  if (shape === undefined) return [{ dtype, shape }];
  const axis = axisOf(call, shape.length + 1);
  const constant = call.constant(1);
  const depth = call.ints(1)?.[0] ?? (constant === undefined ? undefined : numbersOf(constant)[0]);
  return [{ dtype, shape: [...shape.slice(0, axis), depth ?? freshDim(call, 0, axis), ...shape.slice(axis)] }];
};

const depth = { dtype: 'int64', dims: [], data: [5], constant: true } as const;
const values = { dtype: 'float32', dims: [2], data: [0, 1], constant: true } as const;

/** Vectors of `depth` that are on at an index and off elsewhere. */
export const oneHot: OpDef = {
  domain: '',
  op: 'OneHot',
  since: 9,
  infer,
  gradient: 'stop',
  cut: ruleByPort(infer, (call, port, cut, ports) => {
    const [indices] = ports;
    const output = ports.find((p) => p.kind === 'output');
    const rank = indices?.shape?.length;
    if (indices === undefined || output === undefined || rank === undefined) return refuse('has an unknown shape');
    const axis = axisOf(call, rank + 1);
    if (port === indices) {
      return { cuts: cutsOf(output.value, cut.axis < axis ? cut.axis : cut.axis + 1, cut.owner) };
    }
    if (port !== output) return refuse(`cannot lose parts of its input ${port.position}`);
    if (cut.axis === axis) return refuse(`numbers the indices of axis ${axis}`);
    return { cuts: cutsOf(indices.value, cut.axis < axis ? cut.axis : cut.axis - 1, cut.owner) };
  }),
  macs: noMacs,
  samples: [
    { name: 'last axis', inputs: [{ dtype: 'int64', dims: [2, 3], max: 5 }, depth, values] },
    {
      name: 'first axis',
      inputs: [{ dtype: 'int64', dims: [3], data: [0, -1, 4] }, depth, values],
      attrs: { axis: 0 },
    },
  ],
};
