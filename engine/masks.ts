import type { Stream } from '../data/random.ts';
import { bindDim, type Dim } from '../graph/dim.ts';
import { elementCount } from '../graph/tensor.ts';
import { modelError } from '../ground/errors.ts';
import type { DropoutMask } from './absorb.ts';
import type { HostTensor } from './engine.ts';
import { bytesFor, KernelMemory } from './kernels/memory.ts';

/** Masks are drawn from bytes, so a ratio is rounded to the nearest of 256 steps. */
const STEPS = 256;

const thresholdOf = (ratio: number): number => Math.min(STEPS - 1, Math.round(ratio * STEPS));

/** What is kept at a ratio counts as much more as the rest is missed: 1 / (1 - ratio). */
export const keptScale = (ratio: number): number => STEPS / (STEPS - thresholdOf(ratio));

/**
 * Fills a mask, which lies in `memory`, with 0 at the given ratio and 1 elsewhere. The stream gives a starting point, hashed
 * counters from there on give the bits: fast, and a function of the stream alone.
 */
export const fillMask = (memory: KernelMemory, mask: Uint8Array, ratio: number, random: Stream): void => {
  const start = random.bits();
  const stride = random.bits() | 1;
  memory.kernels.fillMask(memory.address(mask), mask.length, thresholdOf(ratio), start, stride);
};

const sizeOf = (dim: Dim, symbols: Readonly<Record<string, number>>, name: string): number => {
  const size = bindDim(dim, symbols);
  if (typeof size === 'number') return size;
  throw modelError(`dimension '${size}' of the dropout mask '${name}' depends on more than what is fed`);
};

/** Memory for the masks of a step, reused from step to step and replaced where a batch needs more. */
export class MaskBuffers {
  #memory: KernelMemory | undefined;

  /** Empty memory that has room for arrays of these lengths. */
  #roomFor(lengths: readonly number[]): KernelMemory {
    const needed = bytesFor(lengths, 1);
    if (this.#memory === undefined || this.#memory.bytes < needed) this.#memory = new KernelMemory(needed);
    this.#memory.reset();
    return this.#memory;
  }

  /** Draws every mask for one batch. */
  draw(
    masks: readonly DropoutMask[],
    symbols: Readonly<Record<string, number>>,
    random: Stream,
  ): Readonly<Record<string, HostTensor>> {
    const sized = masks.map(({ input, shape, ratio }) => {
      const dims = shape.map((dim) => sizeOf(dim, symbols, input));
      return { input, ratio, dims, length: elementCount(dims) };
    });
    const memory = this.#roomFor(sized.map(({ length }) => length));
    const drawn: Record<string, HostTensor> = {};
    for (const { input, ratio, dims, length } of sized) {
      const data = memory.octets(length);
      fillMask(memory, data, ratio, random);
      drawn[input] = { dtype: 'uint8', dims, data };
    }
    return drawn;
  }
}
