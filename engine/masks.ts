import type { Stream } from '../data/random.ts';
import { bindDim, type Dim } from '../graph/dim.ts';
import { elementCount } from '../graph/tensor.ts';
import type { DropoutMask } from './absorb.ts';
import type { HostTensor } from './engine.ts';

/** Masks are drawn from bytes, so a ratio is rounded to the nearest of 256 steps. */
const STEPS = 256;

/** Two rounds of multiplication and shift mix 32 bits well enough for masks and cost a nanosecond. */
const mix = (x: number): number => {
  const a = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  const b = Math.imul(a ^ (a >>> 15), 0x735a2d97);
  return b ^ (b >>> 15);
};

/**
 * Fills a mask with 0 at the given ratio and 1 / (1 - ratio) elsewhere. The stream gives a starting point, hashed
 * counters from there on give the bits: fast, and a function of the stream alone.
 */
export const fillMask = (mask: Float32Array, ratio: number, random: Stream): void => {
  const threshold = Math.min(STEPS - 1, Math.round(ratio * STEPS));
  const kept = STEPS / (STEPS - threshold);
  const start = random.bits();
  const stride = random.bits() | 1;
  const whole = mask.length - (mask.length % 4);
  let counter = start;
  for (let i = 0; i < whole; i += 4) {
    counter = (counter + stride) | 0;
    const bits = mix(counter);
    mask[i] = (bits & 255) < threshold ? 0 : kept;
    mask[i + 1] = ((bits >>> 8) & 255) < threshold ? 0 : kept;
    mask[i + 2] = ((bits >>> 16) & 255) < threshold ? 0 : kept;
    mask[i + 3] = bits >>> 24 < threshold ? 0 : kept;
  }
  const rest = mix(counter + stride);
  for (let i = whole; i < mask.length; i++) mask[i] = ((rest >>> (8 * (i - whole))) & 255) < threshold ? 0 : kept;
};

const sizeOf = (dim: Dim, symbols: Readonly<Record<string, number>>, name: string): number => {
  const size = bindDim(dim, symbols);
  if (typeof size === 'number') return size;
  throw new Error(`dimension '${size}' of the dropout mask '${name}' depends on more than batch and sequence`);
};

/** Memory for the masks of a step, reused from step to step and grown to the largest batch. */
export class MaskBuffers {
  readonly #buffers = new Map<string, Float32Array>();

  #view(name: string, length: number): Float32Array {
    let buffer = this.#buffers.get(name);
    if (buffer === undefined || buffer.length < length) {
      buffer = new Float32Array(length);
      this.#buffers.set(name, buffer);
    }
    return buffer.subarray(0, length);
  }

  /** Draws every mask for one batch. */
  draw(
    masks: readonly DropoutMask[],
    symbols: Readonly<Record<string, number>>,
    random: Stream,
  ): Readonly<Record<string, HostTensor>> {
    const drawn: Record<string, HostTensor> = {};
    for (const { input, shape, ratio } of masks) {
      const dims = shape.map((dim) => sizeOf(dim, symbols, input));
      const data = this.#view(input, elementCount(dims));
      fillMask(data, ratio, random);
      drawn[input] = { dtype: 'float32', dims, data };
    }
    return drawn;
  }
}
