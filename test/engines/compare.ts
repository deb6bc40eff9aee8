import { expect } from 'vitest';
import type { Feeds, HostTensor } from '../../engine/engine.ts';

/** How far two engines may lie apart, relative to the largest number of a tensor. */
export interface Tolerance {
  /** Of one operator. */
  readonly sample: number;
  /** Of a whole graph: sums in another order through some layers. */
  readonly graph: number;
}

/** What is this much smaller than the largest output of its graph is zero in theory: a difference of sums that are equal. */
const NEGLIGIBLE = 1e-2;

const isFloat = ({ dtype }: HostTensor): boolean => dtype === 'float32' || dtype === 'float64';

const largestOf = ({ data }: HostTensor): number => {
  let largest = 0;
  for (const x of data) if (Number.isFinite(Number(x))) largest = Math.max(largest, Math.abs(Number(x)));
  return largest;
};

/** The largest difference of two tensors relative to `scale`; infinite where one is a number and the other none. */
const apart = (ours: HostTensor, theirs: HostTensor, scale: number): number => {
  let worst = 0;
  for (let i = 0; i < theirs.data.length; i++) {
    const [x, y] = [Number(ours.data[i]), Number(theirs.data[i])];
    if (Object.is(x, y) || x === y) continue;
    const gap = Math.abs(x - y);
    worst = Math.max(worst, Number.isFinite(gap) ? gap / scale : Number.POSITIVE_INFINITY);
  }
  return worst;
};

const typed = (tensor: HostTensor | undefined) => ({ dtype: tensor?.dtype, dims: tensor?.dims });

/** The output that lies farthest from what it should be, and how far: types and integers must be equal. */
export const farthest = (found: Feeds, expected: Feeds): { readonly name: string; readonly by: number } => {
  expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
  const floats = Object.values(expected).filter(isFloat);
  const least = NEGLIGIBLE * floats.reduce((largest, tensor) => Math.max(largest, largestOf(tensor)), 0);
  let worst = { name: '', by: 0 };
  for (const [name, right] of Object.entries(expected)) {
    const ours = found[name];
    expect({ name, ...typed(ours) }).toEqual({ name, ...typed(right) });
    if (ours === undefined) continue;
    const scale = isFloat(right) ? Math.max(largestOf(right), least, Number.MIN_VALUE) : Number.MIN_VALUE;
    const by = apart(ours, right, scale);
    if (by > worst.by || worst.name === '') worst = { name, by };
  }
  return worst;
};
