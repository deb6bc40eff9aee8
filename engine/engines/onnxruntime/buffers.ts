import { elementCount, newArray } from '../../../graph/tensor.ts';
import type { Buffer, HostTensor } from '../../engine.ts';
import type { Traffic } from '../traffic.ts';
import type * as ort from './native.ts';
import { fromSession, toSession } from './tensors.ts';

/** A buffer as a session takes it. */
export interface OrtBuffer extends Buffer {
  readonly tensor: ort.Tensor;
  /** Where a run writes what comes next, where that can be said before. */
  readonly next?: ort.Tensor;
  /** What a run made takes the place of what was held; `letGo` hears when that is held no more. */
  take(tensor: ort.Tensor, letGo?: () => void): void;
}

const isOrtBuffer = (buffer: Buffer): buffer is OrtBuffer => 'tensor' in buffer && 'take' in buffer;

/** Programs take the buffers of their own engine. */
export const ownBuffer = (buffer: Buffer): OrtBuffer => {
  if (!isOrtBuffer(buffer)) throw new TypeError('the buffer belongs to another engine');
  return buffer;
};

/** A buffer in host memory: two arrays, one that is read and one that the next run writes. */
export class HostBuffer implements OrtBuffer {
  readonly dtype: HostTensor['dtype'];
  readonly dims: readonly number[];
  #held: HostTensor;
  #tensor: ort.Tensor;
  #next: ort.Tensor | undefined;
  readonly #traffic: Traffic;

  /** The array is the buffer's from now on. */
  constructor(data: HostTensor, traffic: Traffic) {
    this.#traffic = traffic;
    traffic.up({ data });
    this.dtype = data.dtype;
    this.dims = data.dims;
    this.#held = data;
    this.#tensor = toSession('buffer', data);
  }

  get tensor(): ort.Tensor {
    return this.#tensor;
  }

  get next(): ort.Tensor {
    const { dtype, dims } = this;
    this.#next ??= toSession('buffer', { dtype, dims, data: newArray(dtype, elementCount(dims)) });
    return this.#next;
  }

  take(tensor: ort.Tensor): void {
    this.#next = this.#tensor;
    this.#tensor = tensor;
    this.#held = fromSession('buffer', tensor);
  }

  async write(tensor: HostTensor): Promise<void> {
    this.#traffic.up({ tensor });
    this.#held.data.set(tensor.data as never);
  }

  async read(): Promise<HostTensor> {
    this.#traffic.down({ held: this.#held });
    return { ...this.#held, data: this.#held.data.slice() };
  }

  release(): void {
    this.#next = undefined;
  }
}
