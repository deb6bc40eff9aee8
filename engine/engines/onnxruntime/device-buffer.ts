import type { HostTensor } from '../../engine.ts';
import { narrowed, widened } from '../integers.ts';
import type { Traffic } from '../traffic.ts';
import type { OrtBuffer } from './buffers.ts';
import type { Mover } from './mover.ts';
import type * as ort from './native.ts';

/** The ways between host and device, and who counts what goes there. */
interface Border {
  readonly mover: Mover;
  readonly traffic: Traffic;
}

/** A buffer in the memory of a device. Integers of 64 bits lie there in 32. */
export class DeviceBuffer implements OrtBuffer {
  readonly dtype: HostTensor['dtype'];
  readonly dims: readonly number[];
  readonly #border: Border;
  #tensor: ort.Tensor | undefined;
  #letGo: (() => void) | undefined;

  private constructor({ dtype, dims }: HostTensor, tensor: ort.Tensor, border: Border) {
    this.dtype = dtype;
    this.dims = dims;
    this.#tensor = tensor;
    this.#border = border;
  }

  static async of(data: HostTensor, border: Border): Promise<DeviceBuffer> {
    return new DeviceBuffer(data, await DeviceBuffer.#up(data, border), border);
  }

  static #up(data: HostTensor, { mover, traffic }: Border): Promise<ort.Tensor> {
    const narrow = narrowed('buffer', data);
    traffic.up({ narrow });
    return mover.up(narrow);
  }

  get tensor(): ort.Tensor {
    if (this.#tensor === undefined) throw new Error('the buffer was released');
    return this.#tensor;
  }

  take(tensor: ort.Tensor, letGo?: () => void): void {
    if (tensor.location === 'cpu') throw new TypeError('an output that a buffer takes is compiled as one that stays');
    this.release();
    this.#tensor = tensor;
    this.#letGo = letGo;
  }

  async write(data: HostTensor): Promise<void> {
    this.take(await DeviceBuffer.#up(data, this.#border));
  }

  async read(): Promise<HostTensor> {
    const { mover, traffic } = this.#border;
    const narrow = await mover.down(this.tensor, this.dtype === 'int64' ? 'int32' : this.dtype);
    traffic.down({ narrow });
    return this.dtype === 'int64' ? widened(narrow) : { ...narrow, dims: this.dims };
  }

  release(): void {
    this.#tensor?.dispose();
    this.#tensor = undefined;
    this.#letGo?.();
    this.#letGo = undefined;
  }
}
