import type { Call, Inferred, OpDef } from '../op.ts';
import { axisCut } from './shared-cuts.ts';
import { inputOf, intAttr, noMacs, normalizeAxis } from './shared-structure.ts';

const axisOf = (call: Call, rank: number): number => normalizeAxis(call, intAttr(call.node, 'axis', 0), rank);
const keeps = (call: Call): boolean => intAttr(call.node, 'keepdims', 1) === 1;

const infer = (call: Call): readonly Inferred[] => {
  const { shape } = inputOf(call, 0);
  if (shape === undefined) return [{ dtype: 'int64', shape }];
  const axis = axisOf(call, shape.length);
  const dims = shape.flatMap((dim, i) => (i !== axis ? [dim] : keeps(call) ? [1] : []));
  return [{ dtype: 'int64', shape: dims }];
};

const record = (op: string): OpDef => ({
  domain: '',
  op,
  since: 1,
  infer,
  gradient: 'stop',
  cut: axisCut(
    infer,
    (call, axis, rank) => {
      const gone = axisOf(call, rank);
      if (axis === gone) return undefined;
      return keeps(call) || axis < gone ? axis : axis - 1;
    },
    'numbers the indices of that axis',
  ),
  macs: noMacs,
  samples: [
    { name: 'keeps the axis', inputs: [{ dtype: 'float32', dims: [2, 5, 3] }], attrs: { axis: 1 } },
    { name: 'drops the axis', inputs: [{ dtype: 'float32', dims: [2, 5, 3] }], attrs: { axis: -1, keepdims: 0 } },
  ],
});

/** Where the largest or smallest element along an axis stands. */
export const argMax = record('ArgMax');
export const argMin = record('ArgMin');
