import type { Buffer, Engine, Feeds, HostTensor, Program } from '../../engine/engine.ts';
import { Traffic } from '../../engine/engines/traffic.ts';
import { callOf, inferNode } from '../../graph/call.ts';
import { type Graph, type Node, opsetOf, type Value } from '../../graph/graph.ts';
import { arrayOf, elementCount, newArray, numbersOf, type Tensor, tensorOf } from '../../graph/tensor.ts';
import { kernels } from './toy-kernels.ts';

const traffic = new Traffic();

/** What a value holds, in the words of a graph's weights. */
const tensorFrom = ({ dtype, dims, data }: HostTensor): Tensor => tensorOf(dtype, dims, data as never);

const hostFrom = (tensor: Tensor): HostTensor => {
  const { dtype, dims } = tensor;
  return { dtype, dims, data: arrayOf(tensor).slice() };
};

const copyOf = (tensor: HostTensor): HostTensor => ({ ...tensor, data: tensor.data.slice() });

class ToyBuffer implements Buffer {
  held: HostTensor;

  constructor(tensor: HostTensor) {
    traffic.up({ tensor });
    this.held = copyOf(tensor);
  }

  get dtype() {
    return this.held.dtype;
  }

  get dims() {
    return this.held.dims;
  }

  async write(tensor: HostTensor): Promise<void> {
    traffic.up({ tensor });
    this.held = copyOf(tensor);
  }

  async read(): Promise<HostTensor> {
    traffic.down({ held: this.held });
    return copyOf(this.held);
  }

  release(): void {}
}

const own = (buffer: Buffer): ToyBuffer => {
  if (buffer instanceof ToyBuffer) return buffer;
  throw new TypeError('the buffer belongs to another engine');
};

const tensorIn = (dtype: Tensor['dtype'], dims: readonly number[], numbers: ArrayLike<number>): Tensor => {
  const data = newArray(dtype, elementCount(dims));
  const convert = data instanceof BigInt64Array ? BigInt : dtype === 'bool' ? (x: number) => Number(x !== 0) : Number;
  for (let i = 0; i < data.length; i++) data[i] = convert(numbers[i] as number) as never;
  return tensorFrom({ dtype, dims, data });
};

/** The record says of what types and shapes results are, and what shapes come to; kernels fill in the rest. */
const runNode = ({ opsets }: Graph, node: Node, values: Map<Value, Tensor>): void => {
  const type = (v: Value) => {
    const { dtype, dims: shape } = values.get(v) ?? {};
    return dtype === undefined ? undefined : { dtype, shape };
  };
  const call = callOf(node, opsetOf(opsets, node.domain), {
    weight: (v) => values.get(v),
    type,
    ints: () => undefined,
  });
  const types = inferNode(call) ?? [];
  const inputs = node.inputs.flatMap((input) => (input === null ? [] : (values.get(input) ?? [])));
  const operands = inputs.map((tensor) => ({ dims: tensor.dims, numbers: numbersOf(tensor) }));
  const [first] = types;
  const made = first?.ints?.map(Number);
  const results = made === undefined ? kernels[node.op]?.(call, operands, (first?.shape ?? []).map(Number)) : [made];
  node.outputs.forEach((output, i) => {
    const { dtype = 'float32', shape = [] } = types[i] ?? {};
    values.set(output, tensorIn(dtype, shape.map(Number), results?.[i] ?? []));
  });
};

/** An interpreter, node by node. */
const programOf = (graph: Graph): Program => {
  const bound = new Map<Value, ToyBuffer>();
  const renewed = new Map<Value, ToyBuffer>();
  let released = false;
  const run = async (
    feeds: Feeds,
    into: Feeds = {},
    accept: (fetched: Feeds) => boolean = () => true,
  ): Promise<Feeds> => {
    if (released) throw new Error('the program was released');
    traffic.up(feeds);
    const values = new Map(graph.weights);
    for (const input of graph.inputs) {
      const given = bound.get(input)?.held ?? feeds[input];
      if (given !== undefined) values.set(input, tensorFrom(given));
    }
    for (const node of graph.nodes) runNode(graph, node, values);
    const results = new Map(graph.outputs.map((name) => [name, hostFrom(values.get(name) as Tensor)]));
    const fetched = Object.fromEntries([...results].filter(([name]) => !renewed.has(name)));
    for (const [name, target] of Object.entries(into)) {
      target.data.set(fetched[name]?.data as never);
      fetched[name] = target;
    }
    traffic.down(fetched);
    if (accept(fetched)) for (const [name, buffer] of renewed) buffer.held = results.get(name) as HostTensor;
    return fetched;
  };
  return {
    bind: (input, buffer) => void bound.set(input, own(buffer)),
    renew: (output, buffer) => void renewed.set(output, own(buffer)),
    run,
    release: async () => {
      released = true;
    },
  };
};

/** Operators without a kernel. Shapes are known before anything is computed. */
export const lackingIn = ({ nodes }: Graph): readonly string[] => [
  ...new Set(nodes.flatMap(({ op }) => (op in kernels || op === 'Shape' ? [] : [op]))),
];

/** A whole engine in few lines: it knows nothing that the operators' records do not say, but how to compute numbers. */
export const toyEngine: Engine = {
  target: { name: 'toy', facts: {}, optimizer: 'graph', lacking: lackingIn },
  compile: async (graph) => {
    const [missing] = lackingIn(graph);
    if (missing !== undefined) throw new Error(`the toy engine has no kernel for ${missing}`);
    return programOf(graph);
  },
  buffer: async (tensor) => new ToyBuffer(tensor),
  moved: () => traffic.moved,
};
