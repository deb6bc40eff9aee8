import { type Graph, value } from '../../graph/graph.ts';
import type { Buffer, Engine, Feeds, HostTensor, Program } from '../engine.ts';

/** A program and the graph that it was made of. */
export interface Bound {
  readonly program: Program;
  readonly graph: Graph;
}

/** What stays on the device, by the names of the inputs that take it. */
export class Resident {
  readonly #engine: Engine;
  readonly #buffers = new Map<string, Buffer>();
  /** What the host knows of: it was read or written, and nothing moved since. */
  readonly #fresh = new Set<string>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  has(name: string): boolean {
    return this.#buffers.has(name);
  }

  get(name: string): Buffer {
    const buffer = this.#buffers.get(name);
    if (buffer === undefined) throw new Error(`nothing called '${name}' is on the device`);
    return buffer;
  }

  async put(name: string, tensor: HostTensor): Promise<void> {
    const buffer = this.#buffers.get(name);
    if (buffer === undefined) this.#buffers.set(name, await this.#engine.buffer(tensor));
    else await buffer.write(tensor);
    this.#fresh.add(name);
  }

  /** Copies what is there now into arrays, end to end, where these are older. */
  async read(name: string, into: readonly Float32Array[]): Promise<void> {
    const buffer = this.#buffers.get(name);
    if (buffer === undefined || this.#fresh.has(name)) return;
    const { data } = await buffer.read();
    if (!(data instanceof Float32Array)) throw new Error(`'${name}' is no float32 buffer`);
    let start = 0;
    for (const array of into) {
      array.set(data.subarray(start, start + array.length));
      start += array.length;
    }
    this.#fresh.add(name);
  }

  /** What the host knows is old from now on. */
  forget(): void {
    this.#fresh.clear();
  }

  /** A program takes from here every input that is here. */
  bind(program: Program, graph: Graph): void {
    for (const input of graph.inputs) {
      const buffer = this.#buffers.get(input);
      if (buffer !== undefined) program.bind(input, buffer);
    }
  }

  /** Runs programs with other tensors in place of what is here. */
  async instead<T>(tensors: Feeds, programs: readonly Bound[], run: () => Promise<T>): Promise<T> {
    const others = new Map<string, Buffer>();
    try {
      for (const [name, tensor] of Object.entries(tensors)) others.set(name, await this.#engine.buffer(tensor));
      for (const { program, graph } of programs) {
        const inputs = new Set<string>(graph.inputs);
        for (const [name, buffer] of others) if (inputs.has(name)) program.bind(value(name), buffer);
      }
      return await run();
    } finally {
      for (const { program, graph } of programs) this.bind(program, graph);
      for (const buffer of others.values()) buffer.release();
    }
  }

  release(): void {
    for (const buffer of this.#buffers.values()) buffer.release();
    this.#buffers.clear();
    this.#fresh.clear();
  }
}
