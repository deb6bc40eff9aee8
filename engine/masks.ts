import type { Stream } from '../data/random.ts';
import { bindDim, type Dim, productOf, type Shape } from '../graph/dim.ts';
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

/** Elements that one hashed counter decides. */
const GROUP = 4;

/**
 * Makes a mask in `memory`: 0 at the given ratio, 1 elsewhere. The stream gives a starting point, hashed counters from there on
 * give the bits: fast, and a function of the stream alone. `from` is where the mask begins in a longer one of the same stream.
 */
export const drawMask = (
  memory: KernelMemory,
  { length, ratio, from = 0 }: { readonly length: number; readonly ratio: number; readonly from?: number },
  random: Stream,
): Uint8Array<ArrayBuffer> => {
  const start = random.bits();
  const stride = random.bits() | 1;
  const skipped = from % GROUP;
  const mask = memory.octets(skipped + length);
  const counter = start + Math.imul(stride, Math.floor(from / GROUP));
  memory.kernels.fillMask(memory.address(mask), mask.length, thresholdOf(ratio), counter, stride);
  return mask.subarray(skipped);
};

type Symbols = Readonly<Record<string, number>>;

const sizeOf = (dim: Dim, symbols: Symbols, name: string): number => {
  const size = bindDim(dim, symbols);
  if (typeof size === 'number') return size;
  throw modelError(`dimension '${size}' of the dropout mask '${name}' depends on more than what is fed`);
};

/** Elements that masks of the passes before this one took; none of a mask that all rows share. */
const takenBefore = (shape: Shape, symbols: Symbols, before: Symbols, name: string): number => {
  const none = Object.fromEntries(Object.keys(before).map((symbol) => [symbol, 0]));
  const [all, shared] = [before, none].map((rows) => sizeOf(productOf(shape), { ...symbols, ...rows }, name));
  return (all ?? 0) - (shared ?? 0);
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

  /** Draws every mask for one batch; `before` counts what came before it of the batch that it is a piece of. */
  draw(
    masks: readonly DropoutMask[],
    symbols: Symbols,
    random: Stream,
    before: Symbols = {},
  ): Readonly<Record<string, HostTensor>> {
    const sized = masks.map(({ input, shape, ratio }) => {
      const dims = shape.map((dim) => sizeOf(dim, symbols, input));
      return { input, ratio, dims, length: elementCount(dims), from: takenBefore(shape, symbols, before, input) };
    });
    const memory = this.#roomFor(sized.map(({ length }) => length + GROUP));
    const drawn: Record<string, HostTensor> = {};
    for (const { input, dims, ...mask } of sized) {
      drawn[input] = { dtype: 'uint8', dims, data: drawMask(memory, mask, random) };
    }
    return drawn;
  }
}
