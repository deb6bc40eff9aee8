import type { Value } from '../graph.ts';

/** What numbers lie between, 0 among them. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** Ranges of values of a graph. */
export type Ranges = ReadonlyMap<Value, Range>;

/** Of some numbers, or a stretch of them. */
export const rangeOf = (data: Float32Array, from = 0, to = data.length): Range => {
  let [low, high] = [0, 0];
  for (let i = from; i < to; i++) {
    const x = data[i] as number;
    if (x < low) low = x;
    if (x > high) high = x;
  }
  return { low, high };
};

/** x is about step * (whole - zero) for a whole number from 0 on. */
export interface FixedPoint {
  readonly step: number;
  readonly zero: number;
}

const MOST = 255;

/** A range in whole steps, 256 where nobody says, 0 on one of them. */
export const fixedPointOf = ({ low, high }: Range, most = MOST): FixedPoint => {
  const [from, to] = [Math.min(0, low), Math.max(0, high)];
  const step = Math.fround((to - from) / most) || 1;
  return { step, zero: Math.max(0, Math.min(most, Math.round(-from / step))) };
};

/** A number as it comes back from 8 bits. */
export const inSteps = (x: number, { step, zero }: FixedPoint): number =>
  (Math.max(0, Math.min(MOST, Math.round(x / step) + zero)) - zero) * step;
