import { refusal } from '../../ground/errors.ts';
import type { Call, Gradient, Inferred, OpDef } from '../op.ts';
import { axisCut } from './shared-cuts.ts';
import { reshapeLike } from './shared-emit.ts';
import { axesOf, freshDim, inputOf, noMacs, normalizeAxis, withInts } from './shared-structure.ts';
import { passed } from './shared-uses.ts';

/** dx is dy in the shape of x: these operators only add or drop axes of size one. */
const gradient: Gradient = (emit, call, [dy]) => {
  const [x] = call.node.inputs;
  return [dy == null || x == null ? null : reshapeLike(emit, dy, x), ...call.node.inputs.slice(1).map(() => null)];
};

const knownAxes = (call: Call, rank: number): readonly number[] | undefined =>
  axesOf(call, 1)?.map((axis) => normalizeAxis(call, axis, rank));

/** The axes that Squeeze drops; all of size one where it names none. */
const droppedAxes = (call: Call): readonly number[] | undefined => {
  const { shape } = inputOf(call, 0);
  if (shape === undefined) return undefined;
  const named = call.node.inputs[1] != null || call.node.attrs.axes !== undefined;
  if (named) return knownAxes(call, shape.length);
  return shape.flatMap((dim, axis) => (dim === 1 ? [axis] : []));
};

const inferSqueeze = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  const dropped = droppedAxes(call);
  if (shape === undefined || dropped === undefined) return [{ dtype, shape: undefined }];
  const wrong = dropped.find((axis) => typeof shape[axis] === 'number' && shape[axis] !== 1);
  if (wrong !== undefined) {
    throw refusal(`Squeeze '${call.node.name}': axis ${wrong} of [${shape.join(', ')}] is not of size 1`);
  }
  return [withInts({ dtype, shape: shape.filter((_, axis) => !dropped.includes(axis)) }, call.ints(0))];
};

const inferUnsqueeze = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  const count = axesOf(call, 1)?.length ?? call.inputs[1]?.shape?.[0];
  if (shape === undefined || typeof count !== 'number') return [{ dtype, shape: undefined }];
  const rank = shape.length + count;
  const added = knownAxes(call, rank);
  if (added === undefined) return [{ dtype, shape: Array.from({ length: rank }, (_, i) => freshDim(call, 0, i)) }];
  const rest = shape.values();
  const dims = Array.from({ length: rank }, (_, axis) => (added.includes(axis) ? 1 : (rest.next().value ?? 1)));
  return [withInts({ dtype, shape: dims }, call.ints(0))];
};

/** Where an input axis lands once axes are dropped; undefined for a dropped one. */
const squeezedAxis = (call: Call, axis: number): number | undefined => {
  const dropped = droppedAxes(call);
  return dropped === undefined || dropped.includes(axis) ? undefined : axis - dropped.filter((d) => d < axis).length;
};

const unsqueezedAxis = (call: Call, axis: number, rank: number): number | undefined => {
  const count = axesOf(call, 1)?.length ?? 0;
  const added = knownAxes(call, rank + count);
  if (added === undefined) return undefined;
  return Array.from({ length: rank + count }, (_, i) => i).filter((i) => !added.includes(i))[axis];
};

const squeezeRecord = {
  domain: '',
  op: 'Squeeze',
  uses: passed,
  view: true,
  infer: inferSqueeze,
  gradient,
  cut: axisCut(inferSqueeze, squeezedAxis, 'drops that axis'),
  macs: noMacs,
} as const;

const unsqueezeRecord = {
  domain: '',
  op: 'Unsqueeze',
  uses: passed,
  view: true,
  infer: inferUnsqueeze,
  gradient,
  cut: axisCut(inferUnsqueeze, unsqueezedAxis, 'adds that axis'),
  macs: noMacs,
} as const;

const axes = (data: readonly number[]) => ({ dtype: 'int64', dims: [data.length], data, constant: true }) as const;

/** Drops axes of size one; the axes are an attribute before opset 13 and an input since. */
export const squeeze: readonly OpDef[] = [
  {
    ...squeezeRecord,
    since: 1,
    samples: [{ name: 'axes as attribute', inputs: [{ dtype: 'float32', dims: [1, 3, 1] }], attrs: { axes: [0] } }],
  },
  {
    ...squeezeRecord,
    since: 13,
    samples: [
      { name: 'one axis', inputs: [{ dtype: 'float32', dims: [3, 1, 4] }, axes([1])] },
      { name: 'from the end', inputs: [{ dtype: 'float32', dims: [1, 3, 1] }, axes([-1])] },
      { name: 'all of size one', inputs: [{ dtype: 'float32', dims: [1, 3, 1, 4] }] },
    ],
  },
];

/** Adds axes of size one; the axes are an attribute before opset 13 and an input since. */
export const unsqueeze: readonly OpDef[] = [
  {
    ...unsqueezeRecord,
    since: 1,
    samples: [{ name: 'axes as attribute', inputs: [{ dtype: 'float32', dims: [3, 4] }], attrs: { axes: [0, 3] } }],
  },
  {
    ...unsqueezeRecord,
    since: 13,
    samples: [
      { name: 'one axis', inputs: [{ dtype: 'float32', dims: [3, 4] }, axes([1])] },
      { name: 'two axes', inputs: [{ dtype: 'float32', dims: [3, 4] }, axes([0, -1])] },
      { name: 'a scalar', inputs: [{ dtype: 'float32', dims: [] }, axes([0])] },
    ],
  },
];
