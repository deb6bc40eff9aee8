import type { KernelMemory } from './kernels/memory.ts';

/** Exponential averages of the gradient and of its square, one pair a parameter. */
export interface Moments {
  readonly first: Float32Array<ArrayBuffer>;
  readonly second: Float32Array<ArrayBuffer>;
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

/**
 * One step of AdamW in place (Loshchilov and Hutter 2019, arXiv 1711.05101), in float32:
 *   m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,
 *   w = w - rate (m' / (sqrt(v') + epsilon) + decay w)  with m' = m / (1 - b1^t), v' = v / (1 - b2^t).
 * One pass reads and writes each array once; the corrections are folded into the rate and epsilon. All arrays lie in
 * `memory`.
 */
export const adamwStep = (
  memory: KernelMemory,
  w: Float32Array,
  { first, second }: Moments,
  g: Float32Array,
  update: Update,
): void => {
  const { beta1, beta2, scale, step } = update;
  const root = Math.sqrt(1 - beta2 ** step);
  const rate = (update.rate * root) / (1 - beta1 ** step);
  memory.kernels.adamw(
    memory.address(w),
    memory.address(first),
    memory.address(second),
    memory.address(g),
    w.length,
    beta1,
    beta2,
    scale,
    rate,
    update.epsilon * root,
    1 - update.rate * update.decay,
  );
};

/** Length of all gradients, which lie in `memory`, as one vector. */
export const globalNorm = (memory: KernelMemory, gradients: readonly Float32Array[]): number =>
  Math.sqrt(
    gradients.reduce(
      (sum, gradient) => sum + memory.kernels.sumOfSquares(memory.address(gradient), gradient.length),
      0,
    ),
  );

/** What gradients are multiplied by so that their global norm is at most `limit` (Pascanu et al. 2013, arXiv 1211.5063). */
export const clipScale = (norm: number, limit: number): number => (norm > limit ? limit / norm : 1);
