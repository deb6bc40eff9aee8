import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adamwStep, clipScale, defaultAdamW, globalNorm } from '../../engine/adamw.ts';
import { bytesFor, KernelMemory } from '../../engine/kernels/memory.ts';

/** Sums of squares are float64 throughout; only their order differs. */
const FLOAT64 = 1e-12;

const base = { ...defaultAdamW, rate: 0.01, decay: 0, step: 1, scale: 1 };

/** The update as the paper writes it, in float64 and with the bias corrections spelled out. */
const reference = (gradients: readonly number[], start: number, options: typeof base): number => {
  const { beta1, beta2, epsilon, rate, decay, scale } = options;
  let [w, m, v] = [start, 0, 0];
  gradients.forEach((raw, i) => {
    const g = raw * scale;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const first = m / (1 - beta1 ** (i + 1));
    const second = v / (1 - beta2 ** (i + 1));
    w -= rate * (first / (Math.sqrt(second) + epsilon) + decay * w);
  });
  return w;
};

/** Elements that are updated alike: one vector of four lanes, and three left over. */
const LENGTH = 7;

const run = (gradients: readonly number[], start: number, options: typeof base): number => {
  const memory = new KernelMemory(bytesFor([LENGTH, LENGTH, LENGTH, LENGTH]));
  const [w, first, second, g] = [0, 1, 2, 3].map(() => memory.floats(LENGTH));
  if (w === undefined || first === undefined || second === undefined || g === undefined) throw new Error('no memory');
  w.fill(start);
  gradients.forEach((gradient, i) => {
    g.fill(gradient);
    adamwStep(memory, w, { first, second }, g, { ...options, step: i + 1 });
  });
  expect(new Set(w).size).toBe(1);
  return w[0] ?? Number.NaN;
};

const small = fc.float({ min: -1, max: 1, noNaN: true });

describe('AdamW', () => {
  it('follows the equations of the paper over several steps', () => {
    fc.assert(
      fc.property(fc.array(small, { minLength: 1, maxLength: 12 }), small, (gradients, start) => {
        const options = { ...base, decay: 0.1, scale: 0.5 };
        expect(run(gradients, start, options)).toBeCloseTo(reference(gradients, start, options), 5);
      }),
    );
  });

  it('moves the first step by the learning rate, against the sign of the gradient', () => {
    expect(run([1e-3], 1, base)).toBeCloseTo(1 - 0.01, 5);
    expect(run([-5], 1, base)).toBeCloseTo(1 + 0.01, 5);
  });

  it('lets moments of a weight without gradients end at zero, not among numbers too small for an exponent', () => {
    const memory = new KernelMemory(bytesFor([LENGTH, LENGTH, LENGTH, LENGTH]));
    const [w, first, second, g] = [0, 1, 2, 3].map(() => memory.floats(LENGTH));
    if (w === undefined || first === undefined || second === undefined || g === undefined) throw new Error('no memory');
    g.fill(1e-5);
    const smallest: number[] = [];
    for (let step = 1; step < 1200; step++) {
      adamwStep(memory, w, { first, second }, g, { ...base, step, beta2: 0.9 });
      g.fill(0);
      smallest.push(...[...first, ...second].filter((moment) => moment !== 0));
    }
    expect([...first, ...second]).toEqual(Array.from({ length: 2 * LENGTH }, () => 0));
    expect(Math.min(...smallest)).toBeGreaterThan(2 ** -126);
    expect(smallest.length).toBeGreaterThan(500);
  });

  it('decays weights apart from the gradient', () => {
    expect(run([0], 2, { ...base, decay: 0.5 })).toBeCloseTo(2 * (1 - 0.01 * 0.5), 6);
  });

  it('clips by the norm of all gradients together', () => {
    const memory = new KernelMemory(bytesFor([5, 1]));
    const gradients = [memory.floats(5), memory.floats(1)];
    gradients[0]?.set([3], 4);
    gradients[1]?.set([4]);
    expect(globalNorm(memory, gradients)).toBeCloseTo(5, 6);
    expect(clipScale(5, 1)).toBeCloseTo(0.2, 12);
    expect(clipScale(0.5, 1)).toBe(1);
  });

  it('sums squares of any length', () => {
    fc.assert(
      fc.property(fc.float32Array({ min: -10, max: 10, noNaN: true, maxLength: 33 }), (x) => {
        const memory = new KernelMemory(bytesFor([x.length]));
        const held = memory.floats(x.length);
        held.set(x);
        const expected = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
        expect(Math.abs(globalNorm(memory, [held]) - expected)).toBeLessThanOrEqual(FLOAT64 * expected);
      }),
    );
  });
});
