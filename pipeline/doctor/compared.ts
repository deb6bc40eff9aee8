import type { Feeds, HostTensor } from '../../engine/engine.ts';

type Floats = HostTensor & { readonly data: Float32Array };

const isFloats = (tensor: HostTensor | undefined): tensor is Floats => tensor?.data instanceof Float32Array;

/** Numbers of an output; whole ones and truths count as numbers, too. */
const numbersOf = (tensor: HostTensor | undefined): Float64Array =>
  tensor === undefined ? new Float64Array() : Float64Array.from(tensor.data, Number);

const largestIn = (numbers: Float64Array): number => numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

/** The largest difference of two outputs; infinite where they are of different shapes or one is no number where the other is. */
const between = (found: HostTensor | undefined, expected: HostTensor): number => {
  if (found === undefined || found.dims.join() !== expected.dims.join()) return Number.POSITIVE_INFINITY;
  const [a, b] = [numbersOf(found), numbersOf(expected)];
  let most = 0;
  for (let i = 0; i < b.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    if (x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
    const difference = Math.abs(x - y);
    most = Math.max(most, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
  }
  return most;
};

/** Numbers below this are compared as they are, larger ones as shares of the largest. */
const LEAST_SCALE = { absolute: 1, relative: 1e-6 } as const;

/** The largest difference over all outputs, relative to the largest number of each. */
export const differenceOf = (found: Feeds, expected: Feeds, kind: keyof typeof LEAST_SCALE): number =>
  Object.entries(expected).reduce((most, [name, tensor]) => {
    const difference = between(found[name], tensor);
    const scale = Math.max(LEAST_SCALE[kind], largestIn(numbersOf(tensor).filter(Number.isFinite)));
    return Math.max(most, difference / scale);
  }, 0);

/** The cosine of two vectors; 1 where both are nothing. */
const cosine = (a: Float32Array, b: Float32Array): number => {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < b.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    if (!Number.isFinite(y)) continue;
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 && bb === 0 ? 1 : ab / Math.sqrt(aa * bb);
};

/** The least cosine over all outputs of floats; -1 where one is missing or no number. */
export const leastCosine = (found: Feeds, expected: Feeds): number =>
  Object.entries(expected).reduce((least, [name, tensor]) => {
    const other = found[name];
    if (!isFloats(tensor)) return least;
    if (!isFloats(other) || other.dims.join() !== tensor.dims.join()) return -1;
    const own = cosine(other.data, tensor.data);
    return Math.min(least, Number.isNaN(own) ? -1 : own);
  }, 1);
