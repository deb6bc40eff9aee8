import { refusal } from '../../ground/errors.ts';
import { type Dim, multiplyDims, productOf, type Shape } from '../dim.ts';
import type { Call, Inferred, OpDef } from '../op.ts';
import { elementCount } from '../tensor.ts';
import { convGradient } from './conv-gradient.ts';
import type { Port } from './shared-cuts.ts';
import { floats, type Labels, labelCut } from './shared-math.ts';
import { describe, freshDim, inputOf, intAttr } from './shared-structure.ts';
import { along } from './shared-uses.ts';
import { placesAlong } from './shared-walks.ts';

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  const kernel = inputOf(call, 1).shape;
  if (shape === undefined || kernel === undefined) return [{ dtype, shape: undefined }];
  const [channels, inner] = [shape[1], kernel[1]];
  const groups = intAttr(call.node, 'group', 1);
  if (typeof channels === 'number' && typeof inner === 'number' && channels !== inner * groups) {
    throw refusal(`${describe(call)}: ${channels} channels meet kernels of ${inner} channels in ${groups} groups`);
  }
  const places = shape.slice(2).map((length, at) => {
    const size = kernel[at + 2];
    return typeof size === 'number' ? placesAlong(call, at, length, size) : freshDim(call, 0, at + 2);
  });
  return [{ dtype, shape: [shape[0] ?? 1, kernel[0] ?? 1, ...places] }];
};

/** Channels and kernels of one group can go; places and the channels of groups cannot. */
const labels = (call: Call, port: Port, shape: Shape): Labels => {
  const grouped = intAttr(call.node, 'group', 1) > 1;
  const named = (batch: string | null, channel: string | null): Labels =>
    shape.map((_, axis) => (axis === 0 ? batch : axis === 1 && !grouped ? channel : null));
  if (port.kind === 'output') return named('batch', 'out');
  if (port.position === 0) return named('batch', 'in');
  return port.position === 1 ? named(grouped ? null : 'out', 'in') : [grouped ? null : 'out'];
};

/** Every kernel at every place. */
const macs = (call: Call): Dim => {
  const kernel = inputOf(call, 1).shape;
  const [y] = infer(call);
  return kernel === undefined || y?.shape === undefined
    ? 0
    : multiplyDims(productOf(y.shape), productOf(kernel.slice(1)));
};

/** Pixels or kernels of a size that is known: how many strides fit cannot be said of a symbol. */
const image = (...dims: readonly number[]) => ({
  ...floats(...dims),
  data: Array.from({ length: elementCount(dims) }, (_, i) => Math.sin(i)),
});

const kernels = image;

/** Kernels of weights moved over an image or a sequence. */
export const conv: OpDef = {
  domain: '',
  op: 'Conv',
  since: 1,
  infer,
  gradient: convGradient,
  mixes: true,
  cut: labelCut(infer, labels, 'has places or groups along that axis'),
  uses: (call) => [{ input: 1, kind: 'linear', inner: 1, outer: 0 }, ...along(call, { 2: 'bias' })],
  macs,
  samples: [
    {
      name: 'patches of an image',
      inputs: [image(2, 3, 8, 8), kernels(4, 3, 4, 4), kernels(4)],
      attrs: { strides: [4, 4] },
      macs: 2 * 4 * 4 * 48,
    },
    {
      name: 'a padded sequence without a bias',
      inputs: [floats(2, 3, 5), kernels(4, 3, 3)],
      attrs: { pads: [1, 1] },
      macs: 2 * 4 * 5 * 9,
    },
    {
      name: 'a group a channel, dilated',
      inputs: [image(1, 4, 7, 6), kernels(4, 1, 3, 3), kernels(4)],
      attrs: { group: 4, dilations: [2, 1], pads: [1, 0, 1, 0], strides: [2, 1] },
      macs: 4 * 3 * 4 * 9,
    },
    {
      name: 'a sequence in steps of two, in two groups',
      inputs: [image(2, 4, 7), kernels(6, 2, 3), kernels(6)],
      attrs: { group: 2, pads: [1, 1], strides: [2] },
      macs: 2 * 6 * 4 * 6,
    },
    {
      name: 'padding that every place needs',
      inputs: [image(1, 2, 5, 6), kernels(3, 2, 2, 3)],
      attrs: { auto_pad: 'SAME_UPPER', strides: [2, 2] },
      macs: 3 * 9 * 12,
    },
    {
      name: 'a border that no kernel sees',
      inputs: [image(1, 2, 8, 5), kernels(3, 2, 3, 2)],
      attrs: { strides: [3, 2] },
      macs: 3 * 4 * 12,
    },
  ],
};
