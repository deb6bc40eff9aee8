import { drawn } from './dom.ts';

/** Where a picture has room for marks, in its own units. */
const WIDTH = 480;
const HEIGHT = 260;
const LEFT = 52;
const RIGHT = 12;
const TOP = 10;
const BOTTOM = 40;

/** A direction of a picture. */
export interface Axis {
  readonly title: string;
  readonly low: number;
  readonly high: number;
  readonly logarithmic?: boolean;
}

/** From the least to the most of some numbers, with a little room around them. */
export const around = (title: string, values: readonly number[], logarithmic = false): Axis => {
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (logarithmic) return { title, low: low / 1.15, high: high * 1.6, logarithmic };
  const room = high > low ? 0.06 * (high - low) : Math.abs(high) * 0.1 || 1;
  return { title, low: low - room, high: high + room };
};

const shareOf = ({ low, high, logarithmic = false }: Axis, value: number): number =>
  logarithmic ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);

export const across = (axis: Axis, value: number): number => LEFT + shareOf(axis, value) * (WIDTH - LEFT - RIGHT);

export const upwards = (axis: Axis, value: number): number =>
  HEIGHT - BOTTOM - shareOf(axis, value) * (HEIGHT - TOP - BOTTOM);

const STEPS = [1, 2, 5, 10];
const TICKS = 5;

const evenTicks = ({ low, high }: Axis): readonly number[] => {
  const rough = (high - low) / TICKS;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * (STEPS.find((one) => one * unit >= rough) ?? 10);
  const first = Math.ceil(low / step);
  const count = Math.max(0, Math.floor(high / step) - first + 1);
  return Array.from({ length: count }, (_, i) => (first + i) * step);
};

const decadeTicks = ({ low, high }: Axis): readonly number[] => {
  const from = Math.floor(Math.log10(low));
  const decades = Array.from({ length: Math.ceil(Math.log10(high)) - from + 1 }, (_, i) => 10 ** (from + i));
  const all = decades.flatMap((decade) => [1, 2, 5].map((factor) => factor * decade));
  return all.filter((tick) => tick >= low && tick <= high);
};

const ticksOf = (axis: Axis): readonly number[] => (axis.logarithmic === true ? decadeTicks(axis) : evenTicks(axis));

const tickText = (tick: number): string => `${Number(tick.toPrecision(4))}`;

const grid = (x: Axis, y: Axis): readonly SVGElement[] => [
  ...ticksOf(y).flatMap((tick) => {
    const at = upwards(y, tick);
    return [
      drawn('line', { class: 'axis', x1: LEFT, x2: WIDTH - RIGHT, y1: at, y2: at }),
      drawn('text', { x: LEFT - 6, y: at + 4, 'text-anchor': 'end' }, tickText(tick)),
    ];
  }),
  ...ticksOf(x).map((tick) =>
    drawn('text', { x: across(x, tick), y: HEIGHT - BOTTOM + 16, 'text-anchor': 'middle' }, tickText(tick)),
  ),
  drawn('text', { x: (LEFT + WIDTH) / 2, y: HEIGHT - 6, 'text-anchor': 'middle' }, x.title),
];

/** A picture with its axes; what it shows is said by whatever stands around it. */
export const picture = (x: Axis, y: Axis, marks: readonly SVGElement[]): SVGSVGElement =>
  drawn('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, 'aria-hidden': 'true' }, ...grid(x, y), ...marks);

const COLOURS = 8;

/** Colours of the style sheet, which follow the theme of the reader. */
export const colour = (index: number): string => `var(--c${(index % COLOURS) + 1})`;
