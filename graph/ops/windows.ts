import { refusal } from '../../ground/errors.ts';
import type { Shape } from '../dim.ts';
import type { Value } from '../graph.ts';
import type { Call, Emit, Inferred, OpDef, Sample } from '../op.ts';
import { elementCount } from '../tensor.ts';
import type { Port } from './shared-cuts.ts';
import { unsqueeze } from './shared-emit.ts';
import {
  equals,
  gradientOfFirst,
  indicator,
  type Labels,
  labelCut,
  reduce,
  result,
  scalarLike,
  selected,
} from './shared-math.ts';
import { describe, inputOf, intAttr, intsAttr, noMacs } from './shared-structure.ts';
import { foldedAll, kernelAxes, seenBy } from './shared-unfold.ts';
import { placesAlong, type Walk, walksOf } from './shared-walks.ts';

const kernelOf = (call: Call): readonly number[] => {
  const kernel = intsAttr(call.node, 'kernel_shape');
  if (kernel === undefined) throw refusal(`${describe(call)} has no kernel_shape`);
  return kernel;
};

const typesOf = (call: Call): Inferred => {
  const { dtype, shape } = inputOf(call, 0);
  const kernel = kernelOf(call);
  return {
    dtype,
    shape: shape?.map((dim, axis) => (axis < 2 ? dim : placesAlong(call, axis - 2, dim, kernel[axis - 2] ?? 1))),
  };
};

const inferOne = (call: Call): readonly Inferred[] => [typesOf(call)];

/** The largest elements and where each was found. */
const inferBoth = (call: Call): readonly Inferred[] => {
  const type = typesOf(call);
  return [type, { dtype: 'int64', shape: type.shape }];
};

const labels = (_call: Call, _port: Port, shape: Shape): Labels =>
  shape.map((_, axis) => (axis === 0 ? 'batch' : axis === 1 ? 'channel' : null));

/** A value at every place, for each element that the place sees. */
const toEach = (emit: Emit, v: Value, walks: readonly Walk[]): Value => {
  const sizes = walks.flatMap(({ kernel }) => [1, kernel]);
  return emit.op('Expand', [unsqueeze(emit, v, kernelAxes(walks)), emit.ints([1, 1, ...sizes])]);
};

const onesLike = (emit: Emit, x: Value): Value => emit.op('Expand', [scalarLike(emit, x, 1), emit.shapeOf(x)]);

/** 1 where a place sees an element, 0 where it sees padding. */
const inside = (emit: Emit, x: Value, y: Value, walks: readonly Walk[]): Value =>
  seenBy(emit, onesLike(emit, x), y, walks);

/** How many elements count at each place. */
const countsOf = (emit: Emit, call: Call, x: Value, y: Value, walks: readonly Walk[]): Value => {
  const counted = intAttr(call.node, 'count_include_pad', 0) === 1;
  if (counted && intAttr(call.node, 'ceil_mode', 0) === 1) {
    throw refusal(`${describe(call)} counts padding at places that are cut short: that has no gradient rule`);
  }
  if (counted || walks.every(({ before, after }) => before + after === 0)) {
    return scalarLike(emit, x, elementCount(walks.map(({ kernel }) => kernel)));
  }
  return reduce(emit, 'ReduceSum', inside(emit, x, y, walks), kernelAxes(walks), false);
};

const image = (...dims: readonly number[]) =>
  ({
    dtype: 'float32',
    dims,
    data: Array.from({ length: elementCount(dims) }, (_, i) => Math.sin(2 * i + 1)),
  }) as const;

const samples: readonly Sample[] = [
  { name: 'squares of an image', inputs: [image(2, 3, 4, 6)], attrs: { kernel_shape: [2, 2], strides: [2, 2] } },
  {
    name: 'overlapping places with padding',
    inputs: [image(1, 2, 5, 4)],
    attrs: { kernel_shape: [3, 2], pads: [1, 0, 1, 1] },
  },
  {
    name: 'a last place that is cut short',
    inputs: [image(1, 2, 5)],
    attrs: { kernel_shape: [2], strides: [2], ceil_mode: 1 },
  },
  { name: 'a sequence', inputs: [image(2, 2, 7)], attrs: { kernel_shape: [3], strides: [2] } },
];

/** y = mean of what a place sees:  dx = sum of dy / count over the places that saw x. */
export const averagePool: OpDef = {
  domain: '',
  op: 'AveragePool',
  since: 10,
  infer: inferOne,
  gradient: gradientOfFirst((emit, call, dy, x) => {
    const walks = walksOf(call, kernelOf(call));
    const share = emit.op('Div', [dy, countsOf(emit, call, x, dy, walks)]);
    return foldedAll(emit, toEach(emit, share, walks), walks, x);
  }),
  mixes: true,
  cut: labelCut(inferOne, labels, 'pools places along that axis'),
  macs: noMacs,
  samples: [
    ...samples,
    {
      name: 'padding that counts',
      inputs: [image(1, 2, 4)],
      attrs: { kernel_shape: [3], pads: [1, 1], count_include_pad: 1 },
    },
  ],
};

/** y = largest x that a place sees:  dx = sum of dy over the places whose largest it is, shared among equals. */
export const maxPool: OpDef = {
  domain: '',
  op: 'MaxPool',
  since: 10,
  infer: inferBoth,
  gradient: gradientOfFirst((emit, call, dy, x) => {
    const walks = walksOf(call, kernelOf(call));
    const y = result(call);
    const own = inside(emit, x, y, walks);
    const same = equals(emit, seenBy(emit, x, y, walks), toEach(emit, y, walks));
    const hits = emit.op('Mul', [indicator(emit, same, x), own]);
    const count = reduce(emit, 'ReduceSum', hits, kernelAxes(walks), false);
    const share = toEach(emit, emit.op('Div', [dy, count]), walks);
    return foldedAll(emit, selected(emit, emit.op('Cast', [hits], { to: 9 }), share), walks, x);
  }),
  mixes: true,
  masks: () => [0],
  cut: labelCut(inferBoth, labels, 'pools places along that axis'),
  macs: noMacs,
  samples,
};
