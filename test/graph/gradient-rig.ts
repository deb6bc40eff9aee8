import type { HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import type { Graph, Node, Value } from '../../graph/graph.ts';
import { newArray, type TypedArray } from '../../graph/tensor.ts';
import { activations } from './float64-activations.ts';
import { windows } from './float64-windows.ts';

export type Feeds = Readonly<Record<string, HostTensor>>;
export type Elements = readonly number[];

/** Five-point differences: the error is h^4 f'''''/30, 1e-13 here, beside rounding of 1e-16 / h. */
const STEP = 1e-3;

/** erf(x) = 2 / sqrt(pi) exp(-x^2) sum_n 2^n x^(2n+1) / (2n+1)!!: positive terms only, exact for |x| < 5. */
const ERF_TERMS = 90;

const times = (b: GraphBuilder, x: Value, number: number): Value => b.op('Mul', [x, b.scalar('float64', number)]);

const shift = (b: GraphBuilder, x: Value, number: number): Value => b.op('Add', [x, b.scalar('float64', number)]);

const erf = (b: GraphBuilder, x: Value): Value => {
  const square = b.op('Mul', [x, x]);
  let sum = b.op('Add', [times(b, square, 0), b.scalar('float64', 1)]);
  for (let n = ERF_TERMS; n > 0; n--) sum = shift(b, b.op('Mul', [sum, times(b, square, 2 / (2 * n + 1))]), 1);
  const bell = times(b, b.op('Exp', [b.op('Neg', [square])]), 2 / Math.sqrt(Math.PI));
  return b.op('Mul', [b.op('Mul', [x, bell]), sum]);
};

const sigmoid = (b: GraphBuilder, x: Value): Value =>
  b.op('Reciprocal', [shift(b, b.op('Exp', [b.op('Neg', [x])]), 1)]);

const exactGelu = (b: GraphBuilder, x: Value): Value =>
  b.op('Mul', [times(b, x, 0.5), shift(b, erf(b, times(b, x, Math.SQRT1_2)), 1)]);

const tanhGelu = (b: GraphBuilder, x: Value): Value => {
  const cube = b.op('Mul', [x, b.op('Mul', [x, x])]);
  const inner = times(b, b.op('Add', [x, times(b, cube, 0.044715)]), Math.sqrt(2 / Math.PI));
  return b.op('Mul', [times(b, x, 0.5), shift(b, b.op('Tanh', [inner]), 1)]);
};

const first = (node: Node): Value => {
  const [x] = node.inputs;
  if (x == null) throw new TypeError(`${node.op} has no input`);
  return x;
};

const biased = (b: GraphBuilder, node: Node): Value => {
  const bias = node.inputs[1];
  return bias == null ? first(node) : b.op('Add', [first(node), bias]);
};

const input = (node: Node, position: number): Value | undefined => node.inputs[position] ?? undefined;

const total = (b: GraphBuilder, node: Node, bias: number): Value => {
  const terms = [0, 1, bias].map((position) => input(node, position)).filter((v) => v !== undefined);
  return b.op('Sum', terms);
};

const number = (node: Node, name: string, fallback: number): number => {
  const attr = node.attrs[name];
  return attr?.kind === 'float' || attr?.kind === 'int' ? attr.value : fallback;
};

/** Every axis but batch and channels. */
const placesOf = (b: GraphBuilder, node: Node): readonly number[] =>
  (b.type(first(node)).shape ?? []).map((_, axis) => axis).slice(2);

/**
 * Float64 decompositions of operators that ONNX Runtime runs in float32 only. A test compares each with its operator.
 */
export const decompositions: Readonly<Record<string, (b: GraphBuilder, node: Node) => Value>> = {
  ...activations,
  ...windows,
  Erf: (b, node) => erf(b, first(node)),
  Gelu: (b, node) => {
    const { approximate } = node.attrs;
    const tanh = approximate?.kind === 'string' && approximate.value === 'tanh';
    return tanh ? tanhGelu(b, first(node)) : exactGelu(b, first(node));
  },
  BiasGelu: (b, node) => exactGelu(b, biased(b, node)),
  FastGelu: (b, node) => tanhGelu(b, biased(b, node)),
  QuickGelu: (b, node) => {
    const x = first(node);
    return b.op('Mul', [x, sigmoid(b, times(b, x, number(node, 'alpha', 1.702)))]);
  },
  SkipLayerNormalization: (b, node) => {
    const norm = [total(b, node, 4), node.inputs[2] ?? null, node.inputs[3] ?? null];
    return b.op('LayerNormalization', norm, { epsilon: { float: number(node, 'epsilon', 1e-12) } });
  },
  SkipSimplifiedLayerNormalization: (b, node) => {
    const x = total(b, node, 3);
    const square = b.op('ReduceMean', [b.op('Mul', [x, x]), b.ints([-1])]);
    const root = b.op('Sqrt', [shift(b, square, number(node, 'epsilon', 1e-12))]);
    return b.op('Mul', [b.op('Div', [x, root]), input(node, 2) ?? x]);
  },
  FusedMatMul: (b, node) => {
    const [x = null, w = null] = ['transA', 'transB'].map((flag, position) => {
      const side = input(node, position) ?? first(node);
      const rank = b.type(side).shape?.length ?? 0;
      const perm = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
      return number(node, flag, 0) === 1 ? b.op('Transpose', [side], { perm }) : side;
    });
    return times(b, b.op('MatMul', [x, w]), number(node, 'alpha', 1));
  },
  GlobalAveragePool: (b, node) => b.op('ReduceMean', [first(node), b.ints(placesOf(b, node))]),
  GlobalMaxPool: (b, node) => b.op('ReduceMax', [first(node), b.ints(placesOf(b, node))]),
  Mean: (b, node) => times(b, b.op('Sum', node.inputs), 1 / node.inputs.length),
  Softplus: (b, node) => b.op('Log', [shift(b, b.op('Exp', [first(node)]), 1)]),
  LeakyRelu: (b, node) => {
    const x = first(node);
    const negative = b.op('Less', [x, b.scalar('float64', 0)]);
    return b.op('Where', [negative, times(b, x, number(node, 'alpha', 0.01)), x]);
  },
  HardSigmoid: (b, node) => {
    const line = shift(b, times(b, first(node), number(node, 'alpha', 0.2)), number(node, 'beta', 0.5));
    return b.op('Clip', [line, b.scalar('float64', 0), b.scalar('float64', 1)]);
  },
};

/** The graph with every node that has no float64 kernel decomposed; other graphs stay as they are. */
const inFloat64 = (graph: Graph): Graph => {
  if (!graph.nodes.some((node) => decompositions[node.op] !== undefined)) return graph;
  const builder = new GraphBuilder(graph.name, graph.opsets);
  for (const input of graph.inputs)
    builder.input(input, graph.types.get(input)?.dtype ?? 'float64', graph.types.get(input)?.shape);
  for (const [name, tensor] of graph.weights) builder.weight(name, tensor);
  for (const node of graph.nodes) {
    const [output] = node.outputs;
    const decompose = decompositions[node.op];
    if (decompose === undefined || output === undefined || graph.types.get(output)?.dtype !== 'float64') {
      builder.add(node, (v) => graph.types.get(v));
    } else {
      const y = builder.within(`${output}.float64`, () => decompose(builder, node));
      builder.op('Identity', [y], {}, output);
    }
  }
  return builder.freeze(graph.outputs);
};

export interface Runner {
  /** All outputs in order, as numbers. */
  run(feeds: Feeds): Promise<readonly Elements[]>;
  release(): Promise<void>;
}

export const runnerOf = async (graph: Graph): Promise<Runner> => {
  const program = await cpuEngine.compile(inFloat64(graph), { threads: 1, optimization: 'basic' });
  return {
    run: async (feeds) => {
      const used = Object.fromEntries(Object.entries(feeds).filter(([name]) => graph.inputs.some((v) => v === name)));
      const results = await program.run(used);
      return graph.outputs.map((output) => Array.from(results[output]?.data ?? [], Number));
    },
    release: () => program.release(),
  };
};

export const runOnce = async (graph: Graph, feeds: Feeds): Promise<readonly Elements[]> => {
  const runner = await runnerOf(graph);
  try {
    return await runner.run(feeds);
  } finally {
    await runner.release();
  }
};

const changed = (tensor: HostTensor, index: number, by: number): HostTensor => {
  const data: TypedArray = newArray(tensor.dtype, tensor.data.length);
  const from = tensor.data;
  if (!(data instanceof Float64Array) || !(from instanceof Float64Array)) throw new TypeError('expected float64');
  data.set(from);
  data[index] = (from[index] ?? 0) + by;
  return { ...tensor, data };
};

/** The derivative of the first output by one element of a feed. */
export const slope = async (runner: Runner, feeds: Feeds, name: string, index: number): Promise<number> => {
  const { [name]: tensor } = feeds;
  if (tensor === undefined) throw new Error(`no feed '${name}'`);
  const at = async (steps: number): Promise<number> => {
    const [loss] = await runner.run({ ...feeds, [name]: changed(tensor, index, steps * STEP) });
    return loss?.[0] ?? Number.NaN;
  };
  return (8 * ((await at(1)) - (await at(-1))) - ((await at(2)) - (await at(-2)))) / (12 * STEP);
};

export const slopes = async (runner: Runner, feeds: Feeds, name: string): Promise<Elements> => {
  const all: number[] = [];
  for (let i = 0; i < (feeds[name]?.data.length ?? 0); i++) all.push(await slope(runner, feeds, name, i));
  return all;
};

/** The largest difference over the largest element of the reference; a tensor of another size is infinitely wrong. */
export const relativeError = (found: Elements, reference: Elements): number => {
  if (found.length !== reference.length) return Number.POSITIVE_INFINITY;
  const size = Math.max(...reference.map(Math.abs));
  const worst = Math.max(...reference.map((x, i) => Math.abs(x - (found[i] ?? Number.NaN))));
  return worst === 0 ? 0 : worst / size;
};
