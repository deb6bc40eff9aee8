import { describe, expect, it } from 'vitest';
import { train } from '../../engine/train.ts';
import type { TrainRequest, WeightArrays, WeightHook } from '../../engine/train-request.ts';
import { value } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';
import { deviceEngine } from '../engines/device.ts';
import { bytesOfModel, memoryCheckpoints, tinyModel, tinyOptions, tinyRequest } from './rig.ts';

const NAMES = ['classifier.weight', 'embeddings.word_embeddings.weight'];

/** Sums are taken in another order on a device. */
const CLOSE = 1e-5;

const lengthOf = (name: string): number => elementCount(tinyModel().graph.weights.get(value(name))?.dims ?? []);

/** Adds up -w g of every update (from 1) of which `every` is a divisor. */
const adding = (every = 1): WeightHook & { readonly seen: number[] } => {
  const state = Object.fromEntries(NAMES.map((name) => [name, new Float64Array(lengthOf(name))]));
  const seen: number[] = [];
  return {
    ...{ state, seen },
    gradients: {
      sees: NAMES,
      wants: (step) => step % every === 0,
      see: (step, weights, gradients) => {
        seen.push(step);
        expect([...gradients.keys()].sort()).toEqual([...NAMES].sort());
        for (const [name, sums] of Object.entries(state)) {
          const [w, g] = [weights.get(name) ?? [], gradients.get(name) ?? []];
          sums.forEach((sum, i) => {
            sums[i] = sum - (w[i] ?? 0) * (g[i] ?? 0);
          });
        }
      },
    },
    wants: () => false,
    afterUpdate: () => undefined,
  };
};

const sumsOf = (hook: WeightHook): readonly number[] => Object.values(hook.state ?? {}).flatMap((sums) => [...sums]);

const apart = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] ?? Number.NaN))), 0);

const options = { ...tinyOptions, keep: 'last' as const, steps: 12 };

describe('gradients that a hook watches', () => {
  it('are those of the loss at the weights before they move', async () => {
    // Without memory AdamW moves every weight against the sign of its gradient.
    const plain = { ...options, beta1: 0, beta2: 0, weightDecay: 0, clip: 1e9, steps: 1, epsilon: 1e-12 };
    const name = 'classifier.weight';
    const before = tinyModel().graph.weights.get(value(name))?.bytes.read();
    const shown: Float32Array[] = [];
    const see = (_: number, ...arrays: readonly WeightArrays[]): void => {
      for (const one of arrays) shown.push((one.get(name) ?? new Float32Array()).slice());
    };
    const hook: WeightHook = {
      gradients: { sees: [name], wants: () => true, see },
      wants: () => false,
      afterUpdate: () => undefined,
    };
    const { model } = await train(tinyRequest({ options: plain, hook }));
    const [was = new Float32Array(), g = new Float32Array()] = shown;
    expect(Buffer.from(was.buffer).equals(before ?? Buffer.of())).toBe(true);
    const is = new Float32Array(Uint8Array.from(model.graph.weights.get(value(name))?.bytes.read() ?? []).buffer);
    expect(g.some((x) => x !== 0)).toBe(true);
    g.forEach((x, i) => {
      if (Math.abs(x) > 1e-6) expect(Math.sign((is[i] ?? 0) - (was[i] ?? 0))).toBe(-Math.sign(x));
    });
  });

  it.each([
    ['in one batch', {}],
    ['in several batches', { accumulate: 3 }],
  ])('are the same on a device, %s', async (_, more) => {
    const [host, device] = [adding(3), adding(3)];
    await train(tinyRequest({ hook: host, options: { ...options, ...more } }));
    await train(tinyRequest({ hook: device, options: { ...options, ...more }, engine: deviceEngine }));
    expect(device.seen).toEqual([3, 6, 9, 12]);
    expect(apart(sumsOf(device), sumsOf(host))).toBeLessThan(CLOSE);
    expect(apart(sumsOf(host), [])).toBeNaN();
    expect(Math.max(...sumsOf(host))).toBeGreaterThan(100 * CLOSE);
  });

  it.each([
    ['the host', {}],
    ['a device', { engine: deviceEngine }],
  ])('are known to the last bit after an interruption, on %s', async (_, where: Partial<TrainRequest>) => {
    const whole = adding();
    const { model } = await train(tinyRequest({ hook: whole, options, ...where }));
    const checkpoints = memoryCheckpoints();
    for (let left = 2; ; left += 6) {
      const controller = new AbortController();
      // Another process has another hook.
      const hook = adding();
      const stop: WeightHook = {
        ...hook,
        sees: [],
        wants: () => true,
        afterUpdate: () => void (--left === 0 && controller.abort(new Error('interrupted'))),
      };
      const request = tinyRequest({ hook: stop, options, checkpoints, signal: controller.signal, ...where });
      const done = await train(request).catch((error: Error) => {
        expect(error.message).toBe('interrupted');
        return undefined;
      });
      if (done === undefined) continue;
      expect(bytesOfModel(done.model)).toBe(bytesOfModel(model));
      expect(sumsOf(hook)).toEqual(sumsOf(whole));
      return;
    }
  });
});
