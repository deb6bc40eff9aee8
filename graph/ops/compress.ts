import type { Dim } from '../dim.ts';
import type { Call, Inferred, OpDef, Resize } from '../op.ts';
import { type Tensor, tensorOf } from '../tensor.ts';
import { cutsOf, refuse, ruleByPort } from './shared-cuts.ts';
import { freshDim, inputOf, intAttr, noMacs, normalizeAxis } from './shared-structure.ts';

/** The axis that indices are taken of; undefined where x is taken as one long vector. */
const axisOf = (call: Call): number | undefined => {
  const rank = inputOf(call, 0).shape?.length;
  return call.node.attrs.axis === undefined || rank === undefined
    ? undefined
    : normalizeAxis(call, intAttr(call.node, 'axis', 0), rank);
};

/** The indices that are taken, where that is constant. */
export const takenBy = (condition: Tensor | undefined): readonly number[] | undefined =>
  condition === undefined ? undefined : [...condition.bytes.read()].flatMap((bit, i) => (bit === 0 ? [] : [i]));

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  const axis = axisOf(call);
  if (call.node.attrs.axis === undefined) return [{ dtype, shape: [freshDim(call, 0, 0)] }];
  const length = (): Dim => takenBy(call.constant(1))?.length ?? freshDim(call, 0, axis ?? 0);
  return [{ dtype, shape: shape?.map((dim, i) => (i === axis ? length() : dim)) }];
};

/** What of y stays is all that is taken of x. */
const resize: Resize = (call, _sizes, kept) => {
  const [x] = call.node.inputs;
  const [y] = call.node.outputs;
  const [axis, size, taken] = [axisOf(call), call.inputs[1]?.shape?.[0], takenBy(call.constant(1))];
  if (x == null || y === undefined || axis === undefined || typeof size !== 'number' || taken === undefined) return {};
  const left = kept?.(y, axis)?.map((i) => taken[i]) ?? taken;
  const indices = kept?.(x, axis) ?? Array.from({ length: size }, (_, i) => i);
  const bits = Uint8Array.from(indices, (index) => Number(left.includes(index)));
  return { inputs: [undefined, tensorOf('bool', [bits.length], bits)] };
};

/** y = those indices of an axis of x for which a condition is true. A cut of y takes fewer and leaves x whole. */
export const compress: OpDef = {
  domain: '',
  op: 'Compress',
  since: 9,
  infer,
  gradient: 'none',
  cut: ruleByPort(infer, (call, port, cut, ports) => {
    const [x, condition] = ports;
    const y = ports.find(({ kind }) => kind === 'output');
    const [axis, taken] = [axisOf(call), takenBy(call.constant(1))];
    if (x === undefined || y === undefined || axis === undefined) return refuse('takes elements of all axes');
    if (port === condition) return refuse('cannot lose entries of its condition alone');
    if (cut.axis !== axis) return { cuts: cutsOf((port === x ? y : x).value, cut.axis, cut.owner) };
    if (taken === undefined) return refuse('takes indices that only the run knows');
    if (port === y) return { cuts: [] };
    const owner = Int32Array.from(taken, (index) => cut.owner[index] ?? -1);
    return { cuts: cutsOf(y.value, axis, owner) };
  }),
  resize,
  macs: noMacs,
  samples: [
    {
      name: 'some columns',
      inputs: [
        { dtype: 'float32', dims: [2, 4, 3] },
        { dtype: 'bool', dims: [4], data: [1, 0, 1, 1], constant: true },
      ],
      attrs: { axis: 1 },
    },
    {
      name: 'all of the last axis',
      inputs: [
        { dtype: 'float32', dims: [3, 2] },
        { dtype: 'bool', dims: [2], data: [1, 1], constant: true },
      ],
      attrs: { axis: -1 },
    },
  ],
};
