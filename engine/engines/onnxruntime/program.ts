import type { Value } from '../../../graph/graph.ts';
import { refusalOf } from '../../../ground/errors.ts';
import type { Buffer, Feeds, HostTensor, Program } from '../../engine.ts';
import type { Traffic } from '../traffic.ts';
import { type OrtBuffer, ownBuffer } from './buffers.ts';
import { explained } from './memory.ts';
import type * as ort from './native.ts';
import { Outliving } from './outliving.ts';
import { convert, fromSession } from './tensors.ts';

/** A session with the buffers that stay on its device. */
export class OrtProgram implements Program {
  readonly #session: ort.InferenceSession;
  readonly #traffic: Traffic | undefined;
  readonly #bound = new Map<Value, OrtBuffer>();
  readonly #renewed = new Map<string, OrtBuffer>();
  readonly #outliving: Outliving;

  constructor(session: ort.InferenceSession, traffic?: Traffic) {
    this.#session = session;
    this.#traffic = traffic;
    this.#outliving = new Outliving(() => session.release());
  }

  bind(input: Value, buffer: Buffer): void {
    this.#bound.set(input, ownBuffer(buffer));
  }

  renew(output: Value, buffer: Buffer): void {
    this.#renewed.set(output, ownBuffer(buffer));
  }

  async run(
    feeds: Feeds,
    into?: Readonly<Record<string, HostTensor>>,
    accept?: (fetched: Feeds) => boolean,
  ): Promise<Feeds> {
    if (this.#outliving.isEnded) throw new Error('the program was released');
    this.#traffic?.up(feeds);
    const given = convert(feeds);
    for (const [name, { tensor }] of this.#bound) given[name] = tensor;
    const results = await this.#ran(given, this.#fetches(into));
    const outputs: Record<string, HostTensor> = {};
    for (const name of this.#session.outputNames) {
      const result = results[name];
      if (result !== undefined && !this.#renewed.has(name)) outputs[name] = into?.[name] ?? fromSession(name, result);
    }
    this.#traffic?.down(outputs);
    this.#settle(results, accept?.(outputs) ?? true);
    return outputs;
  }

  /** What the runtime says of the values it meets is a refusal of them, unless memory did not suffice. */
  async #ran(
    given: Record<string, ort.Tensor>,
    fetches: Record<string, ort.Tensor | null>,
  ): Promise<Readonly<Record<string, ort.Tensor>>> {
    try {
      return await this.#session.run(given, fetches);
    } catch (error) {
      const lack = explained(error);
      throw lack === error ? refusalOf(error) : lack;
    }
  }

  #fetches(into: Readonly<Record<string, HostTensor>> | undefined): Record<string, ort.Tensor | null> {
    const fetches: Record<string, ort.Tensor | null> = into === undefined ? {} : convert(into);
    for (const name of this.#session.outputNames) fetches[name] ??= this.#renewed.get(name)?.next ?? null;
    return fetches;
  }

  /** Buffers take over what the run made for them, or all of it is dropped. */
  #settle(results: Readonly<Record<string, ort.Tensor>>, accepted: boolean): void {
    for (const [name, buffer] of this.#renewed) {
      const result = results[name];
      if (result === undefined) throw new Error(`the run gave no '${name}' for its buffer`);
      const isAway = result.location !== 'cpu';
      if (accepted) buffer.take(buffer.next ?? result, isAway ? this.#outliving.hold() : undefined);
      else if (isAway) result.dispose();
    }
  }

  release(): Promise<void> {
    return this.#outliving.end();
  }
}
