import { bindDim, type Dim } from '../../../graph/dim.ts';
import type { Graph, Value } from '../../../graph/graph.ts';
import type { HostFeed, Lowered } from '../../../graph/lower/index.ts';
import { vector } from '../../../graph/tensor.ts';
import type { Buffer, Feeds, HostTensor, Program } from '../../engine.ts';
import { symbolsIn } from '../../feeds.ts';
import { hostTensorOf } from '../../host.ts';
import { narrowed, widened } from '../integers.ts';

/** Puts what goes wrong on a device in words for its user. */
type Guard = <T>(work: Promise<T>) => Promise<T>;

type Symbols = Readonly<Record<string, number>>;

const sizeOf = (dim: Dim, symbols: Symbols, name: string): number => {
  const size = bindDim(dim, symbols);
  if (typeof size === 'number') return size;
  throw new Error(`the size '${size}' behind '${name}' does not follow from what is fed`);
};

/** What the host works out for one run. */
const hostTensor = (feed: HostFeed, symbols: Symbols, given: Feeds): HostTensor => {
  switch (feed.kind) {
    case 'sizes': {
      const numbers = feed.elements.map((dim) => sizeOf(dim, symbols, feed.name));
      return hostTensorOf(vector(feed.dtype, numbers, feed.dims));
    }
    case 'count': {
      const [start, length] = [feed.start, feed.length].map((dim) => sizeOf(dim, symbols, feed.name));
      const data = Int32Array.from({ length: length ?? 0 }, (_, i) => (start ?? 0) + i);
      return { dtype: 'int32', dims: [data.length], data };
    }
    case 'copy': {
      const tensor = given[feed.of];
      if (tensor !== undefined) return tensor;
      throw new Error(`'${feed.of}' says how large something is: it is fed, not bound to a buffer`);
    }
  }
};

/** A program of a graph in the words of its device, which is fed and fetched as the graph that it was made from. */
export class LoweredProgram implements Program {
  readonly #graph: Graph;
  readonly #lowered: Lowered;
  readonly #program: Program;
  readonly #inputs: ReadonlySet<string>;
  readonly #bound = new Map<Value, Buffer>();

  readonly #guarded: Guard;

  constructor(graph: Graph, lowered: Lowered, program: Program, guarded: Guard) {
    this.#guarded = guarded;
    this.#graph = graph;
    this.#lowered = lowered;
    this.#program = program;
    this.#inputs = new Set(lowered.graph.inputs);
  }

  bind(input: Value, buffer: Buffer): void {
    this.#bound.set(input, buffer);
    if (this.#inputs.has(input)) this.#program.bind(input, buffer);
  }

  renew(output: Value, buffer: Buffer): void {
    this.#program.renew(output, buffer);
  }

  async run(
    feeds: Feeds,
    into?: Readonly<Record<string, HostTensor>>,
    accept?: (fetched: Feeds) => boolean,
  ): Promise<Feeds> {
    const asked = accept === undefined ? undefined : (fetched: Feeds) => accept(this.#wide(fetched, into));
    const fetched = await this.#guarded(this.#program.run(this.#given(feeds), this.#sameTypes(into), asked));
    return this.#wide(fetched, into);
  }

  release(): Promise<void> {
    return this.#program.release();
  }

  #given(feeds: Feeds): Feeds {
    const given: Record<string, HostTensor> = {};
    for (const [name, tensor] of Object.entries(feeds)) {
      if (!this.#inputs.has(name)) continue;
      const isNarrow = this.#lowered.graph.types.get(name as Value)?.dtype === 'int32';
      given[name] = isNarrow ? narrowed(name, tensor) : tensor;
    }
    const { host } = this.#lowered;
    if (host.length === 0) return given;
    const symbols = symbolsIn(this.#graph, { ...feeds, ...this.#shapes() });
    for (const feed of host) given[feed.name] = hostTensor(feed, symbols, feeds);
    return given;
  }

  /** Bound inputs have shapes, too. */
  #shapes(): Feeds {
    const none = new Float32Array();
    return Object.fromEntries([...this.#bound].map(([name, { dtype, dims }]) => [name, { dtype, dims, data: none }]));
  }

  #isWidened(name: string): boolean {
    const [wanted, made] = [this.#graph, this.#lowered.graph].map(({ types }) => types.get(name as Value)?.dtype);
    return wanted === 'int64' && made === 'int32';
  }

  /** Arrays of the caller, where outputs come in the type that these have. */
  #sameTypes(into: Readonly<Record<string, HostTensor>> | undefined): Readonly<Record<string, HostTensor>> | undefined {
    if (into === undefined) return undefined;
    return Object.fromEntries(Object.entries(into).filter(([name]) => !this.#isWidened(name)));
  }

  #wide(fetched: Feeds, into: Readonly<Record<string, HostTensor>> | undefined): Feeds {
    const outputs: Record<string, HostTensor> = {};
    for (const [name, tensor] of Object.entries(fetched)) {
      outputs[name] = this.#isWidened(name) && tensor.dtype === 'int32' ? widened(tensor) : tensor;
      const own = into?.[name];
      if (own !== undefined && own !== tensor) own.data.set(outputs[name].data as never);
      if (own !== undefined) outputs[name] = own;
    }
    return outputs;
  }
}
