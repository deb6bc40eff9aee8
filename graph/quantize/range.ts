import type { Value } from '../graph.ts';

/** What numbers lie between, 0 among them. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** Ranges of values of a graph. */
export type Ranges = ReadonlyMap<Value, Range>;

/** Of some numbers. */
export const rangeOf = (data: Float32Array): Range => {
  let [low, high] = [0, 0];
  for (let i = 0; i < data.length; i++) {
    const x = data[i] as number;
    if (x < low) low = x;
    if (x > high) high = x;
  }
  return { low, high };
};

/** x is about step * (whole - zero) for a whole number from 0 to 255. */
export interface FixedPoint {
  readonly step: number;
  readonly zero: number;
}

const MOST = 255;

/** A range in 256 steps, 0 on one of them. */
export const fixedPointOf = ({ low, high }: Range): FixedPoint => {
  const [from, to] = [Math.min(0, low), Math.max(0, high)];
  const step = Math.fround((to - from) / MOST) || 1;
  return { step, zero: Math.max(0, Math.min(MOST, Math.round(-from / step))) };
};

/** A number as it comes back from 8 bits. */
export const inSteps = (x: number, { step, zero }: FixedPoint): number =>
  (Math.max(0, Math.min(MOST, Math.round(x / step) + zero)) - zero) * step;
