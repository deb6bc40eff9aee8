import { productOf } from '../dim.ts';
import type { Call, Inferred, OpDef } from '../op.ts';
import { nothing, refuse } from './shared-cuts.ts';
import { inputOf, intAttr, noMacs, withInts } from './shared-structure.ts';

/** A `start` or `end` attribute made absolute, with the clamping of the standard. */
const bound = (call: Call, name: string, fallback: number, rank: number): number => {
  const value = intAttr(call.node, name, fallback);
  return Math.min(Math.max(value < 0 ? value + rank : value, 0), rank);
};

const inferShape = (call: Call): readonly Inferred[] => {
  const { shape } = inputOf(call, 0);
  if (shape === undefined) return [{ dtype: 'int64', shape: undefined }];
  const rank = shape.length;
  const ints = shape.slice(bound(call, 'start', 0, rank), bound(call, 'end', rank, rank));
  return [withInts({ dtype: 'int64', shape: [ints.length] }, ints)];
};

const inferSize = (call: Call): readonly Inferred[] => {
  const { shape } = inputOf(call, 0);
  return [withInts({ dtype: 'int64', shape: [] }, shape === undefined ? undefined : [productOf(shape)])];
};

/** The sizes of x. A cut of x changes what it says, which is right; nothing else has to be cut for it. */
const wholeShape: OpDef = {
  domain: '',
  op: 'Shape',
  since: 1,
  infer: inferShape,
  gradient: 'stop',
  cut: (call, cut) => (cut.value === call.node.inputs[0] ? nothing : refuse('gives a shape, of which no entry can go')),
  macs: noMacs,
  samples: [{ name: 'all axes', inputs: [{ dtype: 'float32', dims: [2, 3, 4] }] }],
};

/** Opset 15 and later can ask for a stretch of axes. */
export const shape: readonly OpDef[] = [
  wholeShape,
  {
    ...wholeShape,
    since: 15,
    samples: [
      ...wholeShape.samples,
      { name: 'some axes', inputs: [{ dtype: 'float32', dims: [2, 3, 4] }], attrs: { start: 1, end: 2 } },
      { name: 'from the end', inputs: [{ dtype: 'float32', dims: [2, 3, 4] }], attrs: { start: -2 } },
    ],
  },
];

/** The number of elements. It usually divides a sum, so a cut would change a mean: refused. */
export const size: OpDef = {
  domain: '',
  op: 'Size',
  since: 1,
  infer: inferSize,
  gradient: 'stop',
  cut: () => refuse('counts the elements, so its result would change'),
  macs: noMacs,
  samples: [{ name: 'counts', inputs: [{ dtype: 'float32', dims: [2, 3, 4] }] }],
};
