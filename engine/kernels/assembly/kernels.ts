// Passes of training over float32 arrays, four lanes at a time. AssemblyScript: compiled by `npm run kernels` into
// ../binary.ts. Arrays are byte offsets into the memory that the host imports, 16-byte aligned; n counts elements.

/** Sum of squares, each square and sum in float64. */
export function sumOfSquares(x: usize, n: i32): f64 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  const whole = n & ~3;
  for (let i = 0; i < whole; i += 4) {
    const four = v128.load(x + (<usize>i << 2));
    const p = f64x2.promote_low_f32x4(four);
    const q = f64x2.promote_low_f32x4(i32x4.shuffle(four, four, 2, 3, 2, 3));
    low = f64x2.add(low, f64x2.mul(p, p));
    high = f64x2.add(high, f64x2.mul(q, q));
  }
  const both = f64x2.add(low, high);
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (let i = whole; i < n; i++) {
    const one = <f64>load<f32>(x + (<usize>i << 2));
    sum += one * one;
  }
  return sum;
}

/**
 * Below this a moment counts as zero. Made smaller step by step it would end among the numbers that are too small for an exponent,
 * never reach zero, and take thirty times as long from then on: the moments of every row of a table that is rarely looked up.
 */
const LEAST: f32 = 1e-36;

function flushed(x: v128): v128 {
  return flushedFrom(x, f32x4.abs(x));
}

/** The same where the size of each number is known. */
function flushedFrom(x: v128, size: v128): v128 {
  return v128.andnot(x, f32x4.lt(size, f32x4.splat(LEAST)));
}

/** One step of AdamW in place; the factors are what engine/adamw.ts folds the options into. */
export function adamw(
  w: usize,
  first: usize,
  second: usize,
  g: usize,
  n: i32,
  beta1: f32,
  beta2: f32,
  scale: f32,
  rate: f32,
  epsilon: f32,
  keep: f32,
): void {
  const new1: f32 = 1 - beta1;
  const new2: f32 = 1 - beta2;
  const whole = n & ~3;
  for (let i = 0; i < whole; i += 4) {
    const at = <usize>i << 2;
    const gi = f32x4.mul(v128.load(g + at), f32x4.splat(scale));
    const m = flushed(
      f32x4.add(f32x4.mul(f32x4.splat(beta1), v128.load(first + at)), f32x4.mul(f32x4.splat(new1), gi)),
    );
    const squares = f32x4.add(
      f32x4.mul(f32x4.splat(beta2), v128.load(second + at)),
      f32x4.mul(f32x4.splat(new2), f32x4.mul(gi, gi)),
    );
    const v = flushedFrom(squares, squares);
    v128.store(first + at, m);
    v128.store(second + at, v);
    const step = f32x4.div(
      f32x4.mul(f32x4.splat(rate), m),
      f32x4.add(f32x4.sqrt(v), f32x4.splat(epsilon)),
    );
    v128.store(w + at, f32x4.sub(f32x4.mul(f32x4.splat(keep), v128.load(w + at)), step));
  }
  for (let i = whole; i < n; i++) {
    const at = <usize>i << 2;
    const gi = load<f32>(g + at) * scale;
    const m1 = beta1 * load<f32>(first + at) + new1 * gi;
    const v1 = beta2 * load<f32>(second + at) + new2 * (gi * gi);
    const m: f32 = abs<f32>(m1) < LEAST ? 0 : m1;
    const v: f32 = abs<f32>(v1) < LEAST ? 0 : v1;
    store<f32>(first + at, m);
    store<f32>(second + at, v);
    store<f32>(w + at, keep * load<f32>(w + at) - (rate * m) / (sqrt<f32>(v) + epsilon));
  }
}

function mix(x: v128): v128 {
  const a = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 16)), i32x4.splat(0x21f0aaad));
  const b = i32x4.mul(v128.xor(a, i32x4.shr_u(a, 15)), i32x4.splat(0x735a2d97));
  return v128.xor(b, i32x4.shr_u(b, 15));
}

/**
 * Writes 0 where a hashed byte is below the threshold, 1 elsewhere. Byte j of the hash of start + (k + 1) stride decides
 * element 4 k + j. Writes up to 15 elements past n: the host leaves room.
 */
export function fillMask(mask: usize, n: i32, threshold: i32, start: i32, stride: i32): void {
  let counter = i32x4.add(
    i32x4.splat(start),
    i32x4.mul(i32x4.splat(stride), i32x4(1, 2, 3, 4)),
  );
  const hop = i32x4.splat(stride << 2);
  const limit = i8x16.splat(<i8>threshold);
  const one = i8x16.splat(1);
  for (let i = 0; i < n; i += 16) {
    v128.store(mask + <usize>i, v128.and(one, i8x16.ge_u(mix(counter), limit)));
    counter = i32x4.add(counter, hop);
  }
}
