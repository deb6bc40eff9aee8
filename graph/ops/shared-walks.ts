import { refusal } from '../../ground/errors.ts';
import { addDims, type Dim } from '../dim.ts';
import type { Call } from '../op.ts';
import { describe, freshDim, inputOf, intAttr, intsAttr, stringAttr } from './shared-structure.ts';

/** How a kernel walks along one axis. */
export interface Walk {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Padding before and after. */
  readonly before: number;
  readonly after: number;
}

const spatialOf = (call: Call): number => (inputOf(call, 0).shape?.length ?? 2) - 2;

/** Places of one axis: its length with padding, in strides, as far as the dilated kernel fits. */
export const placesAlong = (call: Call, at: number, length: Dim, kernel: number): Dim => {
  const stride = intsAttr(call.node, 'strides')?.[at] ?? 1;
  const reach = (intsAttr(call.node, 'dilations')?.[at] ?? 1) * (kernel - 1) + 1;
  const pads = intsAttr(call.node, 'pads') ?? [];
  const auto = stringAttr(call.node, 'auto_pad', 'NOTSET');
  if (auto.startsWith('SAME')) {
    return typeof length === 'number' ? Math.ceil(length / stride) : stride === 1 ? length : freshDim(call, 0, at + 2);
  }
  const padding = auto === 'VALID' ? 0 : (pads[at] ?? 0) + (pads[at + spatialOf(call)] ?? 0);
  if (typeof length === 'number') return wholePlaces(call, length + padding - reach, stride, length + (pads[at] ?? 0));
  const same = stride === 1 ? addDims(length, padding - reach + 1) : undefined;
  return same ?? freshDim(call, 0, at + 2);
};

/** Steps beyond the first place; where the last one may be cut short, it still begins before the padding behind. */
const wholePlaces = (call: Call, room: number, stride: number, end: number): number => {
  if (intAttr(call.node, 'ceil_mode', 0) === 0) return Math.floor(room / stride) + 1;
  const places = Math.ceil(room / stride) + 1;
  return (places - 1) * stride >= end ? places - 1 : places;
};

/** Padding so that every stride begins inside. */
const samePadding = (length: number, reach: number, stride: number, upper: boolean): readonly [number, number] => {
  const all = Math.max(0, (Math.ceil(length / stride) - 1) * stride + reach - length);
  const less = Math.floor(all / 2);
  return upper ? [less, all - less] : [all - less, less];
};

/** How a kernel of these sizes walks along each axis. */
export const walksOf = (call: Call, kernel: readonly number[]): readonly Walk[] => {
  const pads = intsAttr(call.node, 'pads') ?? [];
  const auto = stringAttr(call.node, 'auto_pad', 'NOTSET');
  return kernel.map((size, i) => {
    const stride = intsAttr(call.node, 'strides')?.[i] ?? 1;
    const dilation = intsAttr(call.node, 'dilations')?.[i] ?? 1;
    const walk = { kernel: size, stride, dilation };
    // A last place that is cut short sees as much again as padding.
    const short = intAttr(call.node, 'ceil_mode', 0) === 1 ? stride : 0;
    if (auto === 'VALID') return { ...walk, before: 0, after: short };
    if (!auto.startsWith('SAME'))
      return { ...walk, before: pads[i] ?? 0, after: (pads[i + kernel.length] ?? 0) + short };
    const length = inputOf(call, 0).shape?.[i + 2];
    if (typeof length !== 'number') {
      throw refusal(`${describe(call)}: the length that its padding depends on is not known`);
    }
    const [before, after] = samePadding(length, dilation * (size - 1) + 1, stride, auto === 'SAME_UPPER');
    return { ...walk, before, after };
  });
};
