/** Exponential averages of the gradient and of its square, one pair a parameter. */
export interface Moments {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

export interface AdamWOptions {
  readonly beta1: number;
  readonly beta2: number;
  /** Added to the root of the second moment: keeps the update finite. */
  readonly epsilon: number;
}

export const defaultAdamW: AdamWOptions = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

export interface Update extends AdamWOptions {
  readonly rate: number;
  /** Share of the weight that a step of rate 1 takes away; 0 for norms and biases. */
  readonly decay: number;
  /** Steps done, this one included: corrects the bias of moments that start at zero. */
  readonly step: number;
  /** Multiplies the gradient: the factor of clipping. */
  readonly scale: number;
}

export const momentsFor = (length: number): Moments => ({
  first: new Float32Array(length),
  second: new Float32Array(length),
});

/**
 * One step of AdamW in place (Loshchilov and Hutter 2019, arXiv 1711.05101):
 *   m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,
 *   w = w - rate (m' / (sqrt(v') + epsilon) + decay w)  with m' = m / (1 - b1^t), v' = v / (1 - b2^t).
 * One pass reads and writes each array once; the corrections are folded into the rate and epsilon.
 */
export const adamwStep = (w: Float32Array, { first, second }: Moments, g: Float32Array, update: Update): void => {
  const { beta1, beta2, scale, step } = update;
  const root = Math.sqrt(1 - beta2 ** step);
  const rate = (update.rate * root) / (1 - beta1 ** step);
  const epsilon = update.epsilon * root;
  const keep = 1 - update.rate * update.decay;
  const new1 = 1 - beta1;
  const new2 = 1 - beta2;
  for (let i = 0; i < w.length; i++) {
    const gi = (g[i] as number) * scale;
    const m = beta1 * (first[i] as number) + new1 * gi;
    const v = beta2 * (second[i] as number) + new2 * gi * gi;
    first[i] = m;
    second[i] = v;
    w[i] = keep * (w[i] as number) - (rate * m) / (Math.sqrt(v) + epsilon);
  }
};

/** Sum of the squares of all elements, in four lanes so that additions overlap. */
export const sumOfSquares = (x: Float32Array): number => {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  const whole = x.length - (x.length % 4);
  for (let i = 0; i < whole; i += 4) {
    const p = x[i] as number;
    const q = x[i + 1] as number;
    const r = x[i + 2] as number;
    const s = x[i + 3] as number;
    a += p * p;
    b += q * q;
    c += r * r;
    d += s * s;
  }
  for (let i = whole; i < x.length; i++) a += (x[i] as number) ** 2;
  return a + b + (c + d);
};

/** Length of all gradients as one vector. */
export const globalNorm = (gradients: readonly Float32Array[]): number =>
  Math.sqrt(gradients.reduce((sum, gradient) => sum + sumOfSquares(gradient), 0));

/** What gradients are multiplied by so that their global norm is at most `limit` (Pascanu et al. 2013, arXiv 1211.5063). */
export const clipScale = (norm: number, limit: number): number => (norm > limit ? limit / norm : 1);
