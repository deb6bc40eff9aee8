import { GraphBuilder } from '../../../graph/builder.ts';
import { encodeGraph } from '../../../graph/codec/index.ts';
import { value } from '../../../graph/graph.ts';
import type { DType } from '../../../graph/tensor.ts';
import type { HostTensor } from '../../engine.ts';
import type * as ort from './native.ts';
import type { Provider } from './provider.ts';
import { openSession } from './session.ts';
import { fromSession, toSession } from './tensors.ts';

const [given, made] = [value('given'), value('made')];

const passing = (dtype: DType): Uint8Array => {
  const builder = new GraphBuilder('passing');
  return encodeGraph(builder.freeze([builder.op('Identity', [builder.input(given, dtype, undefined)], {}, made)]));
};

/**
 * Moves tensors between host and device by a graph that passes them on: what lies on a device has no other way that does
 * not end the process.
 */
export class Mover {
  readonly #provider: Provider;
  readonly #sessions = new Map<string, Promise<ort.InferenceSession>>();

  constructor(provider: Provider) {
    this.#provider = provider;
  }

  up(tensor: HostTensor): Promise<ort.Tensor> {
    return this.#pass(toSession('buffer', tensor), tensor.dtype, 'up');
  }

  async down(tensor: ort.Tensor, dtype: DType): Promise<HostTensor> {
    return fromSession('buffer', await this.#pass(tensor, dtype, 'down'));
  }

  async #pass(tensor: ort.Tensor, dtype: DType, to: 'up' | 'down'): Promise<ort.Tensor> {
    const key = `${dtype} ${to}`;
    const session = this.#sessions.get(key) ?? this.#open(dtype, to);
    this.#sessions.set(key, session);
    const { [made]: moved } = await (await session).run({ [given]: tensor });
    if (moved === undefined) throw new Error('a graph that passes its input on gave nothing');
    return moved;
  }

  #open(dtype: DType, to: 'up' | 'down'): Promise<ort.InferenceSession> {
    const stays = to === 'up' ? { stays: [made] } : {};
    return openSession(passing(dtype), { threads: 1, ...stays }, [], this.#provider);
  }
}
