import { productOf } from '../dim.ts';
import type { TensorType } from '../graph.ts';
import type { Call, Inferred, OpDef } from '../op.ts';
import { refuseCut } from './shared-cuts.ts';
import { freshDim, inputOf, noMacs, normalizeAxis } from './shared-structure.ts';

/** Values, first positions, places of all elements among the values, and counts. */
const inferUnique = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  const count = freshDim(call, 0, 0);
  const index = { dtype: 'int64', shape: [count] } as const;
  const along = call.node.attrs.axis;
  const inverse = (size: TensorType['shape']): Inferred => ({ dtype: 'int64', shape: size });
  if (along?.kind !== 'int') {
    const all = shape === undefined ? undefined : [productOf(shape)];
    return [{ dtype, shape: [count] }, index, inverse(all), index];
  }
  if (shape === undefined) return [{ dtype, shape }, index, inverse(shape), index];
  const axis = normalizeAxis(call, along.value, shape.length);
  const rows = { dtype, shape: shape.map((dim, i) => (i === axis ? count : dim)) };
  return [rows, index, inverse([shape[axis] ?? 1]), index];
};

/** The different elements (or slices), in order where `sorted`. */
export const unique: OpDef = {
  domain: '',
  op: 'Unique',
  since: 11,
  infer: inferUnique,
  gradient: 'none',
  cut: refuseCut('compares all elements with each other'),
  macs: noMacs,
  samples: [
    { name: 'values', inputs: [{ dtype: 'int64', dims: [8], max: 4 }] },
    { name: 'all outputs', inputs: [{ dtype: 'int64', dims: [2, 5], max: 4 }], outputs: 4 },
    { name: 'rows', inputs: [{ dtype: 'float32', dims: [3, 2] }], attrs: { axis: 0 }, outputs: 4, differentiable: [] },
  ],
};

/** The positions of all elements that are not zero, one column each. */
export const nonZero: OpDef = {
  domain: '',
  op: 'NonZero',
  since: 9,
  infer: (call) => [
    { dtype: 'int64', shape: [inputOf(call, 0).shape?.length ?? freshDim(call, 0, 0), freshDim(call, 0, 1)] },
  ],
  gradient: 'stop',
  cut: refuseCut('gives positions, which a cut would shift'),
  macs: noMacs,
  samples: [{ name: 'positions', inputs: [{ dtype: 'int64', dims: [3, 4], max: 2 }] }],
};
