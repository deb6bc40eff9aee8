import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import { inFloat16 } from '../../graph/float16.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { wholeGraphs } from '../engines/whole-graphs.ts';

const steps = wholeGraphs.filter(({ kind }) => kind === 'step');

/** Operators that compute in a type, by their names. */
const operatorsIn = ({ nodes, types }: Graph, dtype: string): ReadonlySet<string> =>
  new Set(
    nodes
      .filter(({ op, outputs }) => op !== 'Cast' && outputs.some((output) => types.get(output)?.dtype === dtype))
      .map(({ op }) => op),
  );

/** What must not be computed in 11 bits, or may be larger than 65504. */
const sensitive = [
  ...['Softmax', 'LogSoftmax', 'LayerNormalization', 'ReduceSum', 'ReduceMean', 'ReduceSumSquare', 'Exp', 'Log'],
  ...['Div', 'Sqrt', 'Pow', 'Reciprocal', 'CumSum', 'ScatterND', 'ScatterElements'],
];

const typesOf = ({ types }: Graph, names: readonly Value[]) => names.map((name) => [name, types.get(name)?.dtype]);

describe('a step in float16', () => {
  it.each(steps.map((step) => [step.name, step] as const))(
    'multiplies in it, and sums in float32: %s',
    async (_, one) => {
      const { graph } = await one.make();
      const mixed = inFloat16(graph);
      const [half, full] = [operatorsIn(mixed, 'float16'), operatorsIn(mixed, 'float32')];
      expect(sensitive.filter((op) => half.has(op))).toEqual([]);
      expect([...full].filter((op) => op === 'MatMul' || op === 'Gemm')).toEqual([]);
      expect(half.has('MatMul') || half.has('Gemm')).toBe(graph.nodes.some(({ op }) => op === 'MatMul'));
      expect(typesOf(mixed, mixed.inputs)).toEqual(typesOf(graph, graph.inputs));
      expect(typesOf(mixed, mixed.outputs)).toEqual(typesOf(graph, graph.outputs));
      expect(new Set(mixed.nodes.map(({ name }) => name)).size).toBe(mixed.nodes.length);
    },
  );

  it('multiplies by no sum over the batch where a device adds up in float16', async () => {
    const [one] = steps;
    if (one === undefined) throw new Error('a step is there');
    const { graph } = await one.make();
    const products = (mixed: Graph) =>
      mixed.nodes.filter(({ op, outputs: [y] }) => /^(MatMul|Gemm)$/.test(op) && y !== undefined && /float16$/.test(y));
    const [all, short] = [products(inFloat16(graph)), products(inFloat16(graph, { longestSum: 1024 }))];
    // Every weight has a product forward and two backward; the one of its own gradient sums over the batch.
    expect(short.length).toBeGreaterThan(all.length / 3);
    expect(short.length).toBeLessThan(all.length);
    expect(short.filter(({ attrs }) => attrs.transA?.kind === 'int' && attrs.transA.value === 1)).toEqual([]);
    expect(products(inFloat16(graph, { longestSum: 2 }))).toEqual([]);
  });
});

const x = value('x');

/** A product, and what is done with it. */
const behindProduct = (emit: (builder: GraphBuilder, product: Value) => Value): Graph => {
  const builder = new GraphBuilder('behind');
  builder.input(x, 'float32', [symbol('n'), 4]);
  const weight = builder.weight('w', tensorOf('float32', [4, 4], new Float32Array(16).fill(0.5)));
  return inFloat16(builder.freeze([emit(builder, builder.op('MatMul', [x, weight]))]));
};

const madeIn = (graph: Graph, op: string): string | undefined =>
  graph.types.get(graph.nodes.find((node) => node.op === op)?.outputs[0] ?? x)?.dtype;

describe('what lies behind a product', () => {
  it.each<[string, (builder: GraphBuilder, y: Value) => Value, string, string]>([
    ['goes on in float16', (builder, y) => builder.op('Relu', [y]), 'Relu', 'float16'],
    ['with a constant', (builder, y) => builder.op('Mul', [y, builder.scalar('float32', 0.125)]), 'Mul', 'float16'],
    [
      'not with one beyond it',
      (builder, y) => builder.op('Add', [y, builder.scalar('float32', -1e9)]),
      'Add',
      'float32',
    ],
    [
      'not with one below it',
      (builder, y) => builder.op('Add', [y, builder.scalar('float32', 1e-8)]),
      'Add',
      'float32',
    ],
    ['not beside float32', (builder, y) => builder.op('Add', [y, builder.op('Exp', [x])]), 'Add', 'float32'],
    ['not through a softmax', (builder, y) => builder.op('Relu', [builder.op('Softmax', [y])]), 'Relu', 'float32'],
  ])('%s', (_, emit, op, dtype) => {
    expect(madeIn(behindProduct(emit), op)).toBe(dtype);
  });

  it('is no product by a weight that float16 does not hold', () => {
    const graph = behindProduct((builder, y) =>
      builder.op('MatMul', [y, builder.weight('large', tensorOf('float32', [4, 1], Float32Array.of(1, 1, 1, 7e4)))]),
    );
    const products = graph.nodes.filter(({ op }) => op === 'MatMul');
    expect(products.map(({ outputs: [y] }) => graph.types.get(y ?? x)?.dtype)).toEqual(['float16', 'float32']);
  });
});

it('a graph without products stays as it is', () => {
  const builder = new GraphBuilder('sum');
  const y = builder.op('Add', [builder.input(x, 'float32', [2]), builder.scalar('float32', 1)], {}, 'y');
  const graph = builder.freeze([y]);
  expect(inFloat16(graph).nodes).toEqual(graph.nodes);
});
