import type { DType } from '../../../graph/tensor.ts';
import type { Buffer, HostTensor } from '../../engine.ts';
import type { Traffic } from '../traffic.ts';
import { downloaded, uploaded } from './border.ts';
import type { Library, Tensor } from './library.ts';

/** A tensor that nothing but `release` or the next one disposes. */
export class TensorBuffer implements Buffer {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly #tf: Library;
  readonly #traffic: Traffic;
  #tensor: Tensor;

  constructor(tf: Library, traffic: Traffic, data: HostTensor) {
    this.dtype = data.dtype;
    this.dims = data.dims;
    this.#tf = tf;
    this.#traffic = traffic;
    this.#tensor = this.#uploaded(data);
  }

  get tensor(): Tensor {
    return this.#tensor;
  }

  /** What a run made takes the place of what was held. */
  take(tensor: Tensor): void {
    if (tensor.shape.join() !== this.dims.join()) {
      throw new RangeError(`a buffer of [${this.dims.join(', ')}] was given [${tensor.shape.join(', ')}]`);
    }
    this.#tensor.dispose();
    this.#tensor = tensor;
  }

  async write(data: HostTensor): Promise<void> {
    this.take(this.#uploaded({ ...data, dtype: this.dtype }));
  }

  async read(): Promise<HostTensor> {
    const data = await downloaded(this.dtype, this.#tensor);
    this.#traffic.down({ data });
    return data;
  }

  release(): void {
    this.#tensor.dispose();
  }

  /** The array stays the caller's: the library may read it later. */
  #uploaded(data: HostTensor): Tensor {
    this.#traffic.up({ data });
    return this.#tf.tidy(() => this.#tf.keep(uploaded(this.#tf, 'buffer', { ...data, data: data.data.slice() })));
  }
}

/** Programs take the buffers of their own engine. */
export const ownBuffer = (buffer: Buffer): TensorBuffer => {
  if (buffer instanceof TensorBuffer) return buffer;
  throw new TypeError('the buffer belongs to another engine');
};
