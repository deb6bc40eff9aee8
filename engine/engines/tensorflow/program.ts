import type { Value } from '../../../graph/graph.ts';
import { engineError, isRefusal, messageOf, refusalOf } from '../../../ground/errors.ts';
import type { Buffer, Feeds, HostTensor, Program } from '../../engine.ts';
import { memoryError } from '../../memory/lack.ts';
import type { Traffic } from '../traffic.ts';
import { downloaded, placed, uploaded, uploadedFlags } from './border.ts';
import { ownBuffer, type TensorBuffer } from './buffer.ts';
import { type Held, hostOf, tensorOf } from './held.ts';
import type { Library } from './library.ts';
import { computed, type Plan, type Step } from './plan.ts';

/** Values of one run that are its own, and those of the program and its buffers. */
class Values {
  readonly #own = new Map<Value, Held>();
  readonly #lent: (name: Value) => Held | undefined;

  constructor(lent: (name: Value) => Held | undefined) {
    this.#lent = lent;
  }

  get(name: Value): Held {
    const held = this.#own.get(name) ?? this.#lent(name);
    if (held === undefined) throw new Error(`nothing was fed or computed as '${name}'`);
    return held;
  }

  add(name: Value, held: Held): void {
    this.#own.set(name, held);
  }

  /** The value leaves the run, and is whoever's asked for it. */
  take(name: Value): Held | undefined {
    const held = this.#own.get(name);
    this.#own.delete(name);
    return held;
  }

  drop(name: Value): void {
    const held = this.take(name);
    if (held?.kind === 'tensor') held.tensor.dispose();
  }

  dropAll(): void {
    for (const name of [...this.#own.keys()]) this.drop(name);
  }
}

/** A graph as calls of the library, one a node. */
export class TensorProgram implements Program {
  readonly #tf: Library;
  readonly #plan: Plan;
  readonly #traffic: Traffic;
  readonly #bound = new Map<Value, TensorBuffer>();
  readonly #renewed = new Map<Value, TensorBuffer>();
  #released = false;

  constructor(tf: Library, plan: Plan, traffic: Traffic) {
    this.#tf = tf;
    this.#plan = plan;
    this.#traffic = traffic;
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
    if (this.#released) throw new Error('the program was released');
    const values = new Values((name) => this.#lent(name));
    try {
      this.#feed(values, feeds);
      for (const step of this.#plan.steps) this.#compute(values, step);
      const outputs = await this.#fetched(values, into ?? {});
      if (accept?.(outputs) ?? true) this.#renew(values);
      return outputs;
    } finally {
      values.dropAll();
    }
  }

  #lent(name: Value): Held | undefined {
    const buffer = this.#bound.get(name);
    return buffer === undefined
      ? this.#plan.constants.get(name)
      : { kind: 'tensor', dtype: buffer.dtype, tensor: buffer.tensor };
  }

  #feed(values: Values, feeds: Feeds): void {
    this.#traffic.up(feeds);
    for (const name of this.#plan.inputs) {
      const tensor = feeds[name];
      if (this.#bound.has(name)) continue;
      if (tensor === undefined) throw new Error(`the input '${name}' was not fed`);
      const upload = this.#plan.flags.has(name) ? uploadedFlags : uploaded;
      values.add(name, { kind: 'tensor', dtype: tensor.dtype, tensor: upload(this.#tf, name, tensor) });
    }
  }

  #compute(values: Values, step: Step): void {
    const inputs = step.node.inputs.map((input) => (input === null ? undefined : values.get(input)));
    try {
      for (const [output, held] of computed(this.#tf, step, inputs)) values.add(output, held);
    } catch (error) {
      if (!isRefusal(refusalOf(error))) throw error;
      const { op, name } = step.node;
      const full = /out of memory|OOM|resource exhausted/i.test(messageOf(error));
      const text = `TensorFlow.js gave up at ${op} '${name}' of '${this.#plan.name}': ${messageOf(error)}`;
      throw (full ? memoryError : engineError)(text, { cause: error });
    }
    for (const name of step.last) values.drop(name);
  }

  async #fetched(values: Values, into: Readonly<Record<string, HostTensor>>): Promise<Record<string, HostTensor>> {
    const outputs: Record<string, HostTensor> = {};
    for (const name of this.#plan.outputs) {
      if (this.#renewed.has(name)) continue;
      const held = values.get(name);
      const given = into[name];
      outputs[name] =
        held.kind === 'tensor' ? await downloaded(held.dtype, held.tensor, given) : placed(hostOf(held), given);
    }
    this.#traffic.down(outputs);
    return outputs;
  }

  /** Buffers take over what the run made for them: a copy where that is nobody's to give away. */
  #renew(values: Values): void {
    for (const [name, buffer] of this.#renewed) {
      const own = values.take(name) ?? values.get(name);
      const tensor = tensorOf(this.#tf, name, own);
      const lent = this.#lent(name) !== undefined;
      buffer.take(lent ? this.#tf.clone(tensor) : tensor);
    }
  }

  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    for (const held of this.#plan.constants.values()) if (held.kind === 'tensor') held.tensor.dispose();
  }
}
