import { memoryError } from '../memory/lack.ts';
import { kernels } from './binary.ts';

const PAGE_BYTES = 65_536;
/** 32-bit addresses reach no further. */
const MOST_PAGES = 65_536;
const ALIGNMENT = 16;
/** Kernels may write whole vectors past the end of an array. */
const SLACK = 64;

/** The exports of assembly/kernels.ts. Addresses and counts are whole numbers. */
interface Kernels {
  sumOfSquares(x: number, n: number): number;
  adamw(
    w: number,
    first: number,
    second: number,
    g: number,
    n: number,
    ...factors: [beta1: number, beta2: number, scale: number, rate: number, epsilon: number, keep: number]
  ): void;
  fillMask(mask: number, n: number, threshold: number, start: number, stride: number): void;
}

const isKernels = (exports: object): exports is Kernels =>
  ['sumOfSquares', 'adamw', 'fillMask'].every((name) => name in exports);

let compiled: WebAssembly.Module | undefined;

const instantiate = (memory: WebAssembly.Memory): Kernels => {
  compiled ??= new WebAssembly.Module(Buffer.from(kernels, 'base64'));
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory, abort: () => {} } });
  if (!isKernels(exports)) throw new Error('engine/kernels/binary.ts is not what memory.ts expects: npm run kernels');
  return exports;
};

const FLOAT_BYTES = 4;

const room = (bytes: number): number => Math.ceil((bytes + SLACK) / ALIGNMENT) * ALIGNMENT;

/** Bytes of a memory for arrays of so many elements. */
export const bytesFor = (lengths: readonly number[], elementBytes = FLOAT_BYTES): number =>
  lengths.reduce((sum, length) => sum + room(length * elementBytes), ALIGNMENT);

/**
 * Memory of a fixed size in which arrays lie that vectorised loops (kernels/assembly) and ONNX Runtime both work on
 * without copies. Arrays start at zero. Throws above 4 GiB.
 */
export class KernelMemory {
  readonly kernels: Kernels;
  readonly #buffer: ArrayBuffer;
  #used = ALIGNMENT;

  constructor(bytes: number) {
    const pages = Math.max(1, Math.ceil(bytes / PAGE_BYTES));
    if (pages > MOST_PAGES) {
      throw memoryError(
        `${(bytes / 2 ** 30).toFixed(1)} GiB were to lie in one memory of WebAssembly; 4 GiB is the most`,
      );
    }
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.kernels = instantiate(memory);
    this.#buffer = memory.buffer;
  }

  get bytes(): number {
    return this.#buffer.byteLength;
  }

  /** The next free array. */
  floats(length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#buffer, this.#next(length * FLOAT_BYTES), length);
  }

  /** The next free array of bytes. */
  octets(length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#buffer, this.#next(length), length);
  }

  #next(bytes: number): number {
    const at = this.#used;
    this.#used += room(bytes);
    return at;
  }

  /** Gives all arrays up at once; their contents stay until they are overwritten. */
  reset(): void {
    this.#used = ALIGNMENT;
  }

  /** Where an array of this memory begins. */
  address(array: Float32Array | Uint8Array): number {
    if (array.buffer !== this.#buffer) throw new Error('the array lies outside the memory of the kernels');
    return array.byteOffset;
  }
}
