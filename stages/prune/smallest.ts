/** Magnitudes of float32 numbers order like their bits without the sign: selection can count instead of sort. */
const MAGNITUDE_BITS = 0x7fffffff;
const HALF = 1 << 16;

const bitsOf = (array: Float32Array): Uint32Array => new Uint32Array(array.buffer, array.byteOffset, array.length);

/** The bucket in which the running count passes `wanted`, and the count before it. */
const bucketOf = (histogram: Uint32Array, wanted: number): { readonly bucket: number; readonly before: number } => {
  let before = 0;
  for (let bucket = 0; bucket < histogram.length; bucket++) {
    const count = histogram[bucket] as number;
    if (before + count > wanted) return { bucket, before };
    before += count;
  }
  return { bucket: histogram.length, before };
};

/**
 * Magnitude bits of the element that stands at place `wanted` (from 0) when all elements are sorted by magnitude, and
 * how many elements are smaller. Two counting passes over the high and the low 16 bits: exact, no sorting.
 */
const threshold = (
  arrays: readonly Float32Array[],
  wanted: number,
): { readonly bits: number; readonly below: number } => {
  const high = new Uint32Array(HALF);
  for (const array of arrays) {
    const bits = bitsOf(array);
    for (let i = 0; i < bits.length; i++) {
      const at = ((bits[i] as number) & MAGNITUDE_BITS) >>> 16;
      high[at] = (high[at] as number) + 1;
    }
  }
  const upper = bucketOf(high, wanted);
  const low = new Uint32Array(HALF);
  for (const array of arrays) {
    const bits = bitsOf(array);
    for (let i = 0; i < bits.length; i++) {
      const magnitude = (bits[i] as number) & MAGNITUDE_BITS;
      if (magnitude >>> 16 !== upper.bucket) continue;
      const at = magnitude & (HALF - 1);
      low[at] = (low[at] as number) + 1;
    }
  }
  const lower = bucketOf(low, wanted - upper.before);
  return { bits: (upper.bucket << 16) | lower.bucket, below: upper.before + lower.before };
};

/** Groups of fewer elements are sorted: counting passes over more buckets than that. */
const SORTED = HALF;

/** The same by sorting. */
const sortedThreshold = (array: Float32Array, wanted: number): { readonly bits: number; readonly below: number } => {
  const sorted = bitsOf(array).map((bits) => bits & MAGNITUDE_BITS);
  sorted.sort();
  const bits = sorted[wanted] as number;
  return { bits, below: sorted.indexOf(bits) };
};

/** Calls for the `count` elements of smallest magnitude over all arrays. Among equal magnitudes the first go first. */
const forSmallest = (
  arrays: readonly Float32Array[],
  count: number,
  see: (array: number, element: number) => void,
): void => {
  const total = arrays.reduce((sum, array) => sum + array.length, 0);
  if (count <= 0) return;
  const [first, ...more] = arrays;
  const all = count >= total;
  const sorts = first !== undefined && more.length === 0 && first.length < SORTED;
  const limit = all
    ? { bits: MAGNITUDE_BITS, below: 0 }
    : sorts
      ? sortedThreshold(first, count)
      : threshold(arrays, count);
  let ties = all ? total : count - limit.below;
  for (const [a, array] of arrays.entries()) {
    const bits = bitsOf(array);
    for (let i = 0; i < bits.length; i++) {
      const magnitude = (bits[i] as number) & MAGNITUDE_BITS;
      if (magnitude < limit.bits || (magnitude === limit.bits && ties-- > 0)) see(a, i);
    }
  }
};

/**
 * Sets the `count` elements of smallest magnitude over all arrays to 0, in place. Among equal magnitudes the first go
 * first, so the result depends on nothing but the numbers and their order.
 */
export const zeroSmallest = (arrays: readonly Float32Array[], count: number): void =>
  forSmallest(arrays, count, (array, i) => {
    (arrays[array] as Float32Array)[i] = 0;
  });

/** Scores, and a mark for each. */
export interface Stretch {
  readonly scores: Float32Array;
  readonly gone: Uint8Array;
}

/** Marks the same elements with 1. */
export const markSmallest = (stretches: readonly Stretch[], count: number): void =>
  forSmallest(
    stretches.map(({ scores }) => scores),
    count,
    (stretch, i) => {
      (stretches[stretch] as Stretch).gone[i] = 1;
    },
  );
