import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../graph/builder.ts';
import { differentiate } from '../../graph/differentiate.ts';
import { symbol } from '../../graph/dim.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import { foldConstants } from '../../graph/rewrite/index.ts';
import { elementCount, numbersOf, tensorOf, vector } from '../../graph/tensor.ts';
import { difference, feedsFor, operatorsOf, outputsOf } from './rewrite-run.ts';

/** Folding repeats the runtime's own float32 arithmetic: nothing but the last bit may differ. */
const tolerance = 1e-6;

const shape = [symbol('batch'), symbol('sequence'), 6];

const folded = async (graph: Graph): Promise<Readonly<Record<string, number>>> => {
  const result = foldConstants(graph);
  const feeds = feedsFor(graph, { batch: 2, sequence: 3 }, { seed: 3 });
  expect(difference(await outputsOf(graph, feeds), await outputsOf(result, feeds))).toBeLessThan(tolerance);
  expect(foldConstants(result)).toEqual(result);
  return operatorsOf(result);
};

describe('folding', () => {
  it('turns the shape arithmetic of an exported head split into a constant', async () => {
    const builder = new GraphBuilder('split');
    const x = builder.input('x', 'float32', [4, 5, 6]);
    const size = (axis: number) =>
      builder.op('Unsqueeze', [
        builder.op('Gather', [builder.op('Shape', [x]), builder.scalar('int64', axis)]),
        builder.ints([0]),
      ]);
    const parts = [size(0), size(1), builder.ints([2]), builder.ints([3])];
    const split = builder.op('Reshape', [x, builder.op('Concat', parts, { axis: 0 })]);
    expect(await folded(builder.freeze([builder.op('Neg', [split])]))).toEqual({ Reshape: 1, Neg: 1 });
  });

  it('leaves shape arithmetic alone where sizes are only known at run time', async () => {
    const builder = new GraphBuilder('dynamic');
    const x = builder.input('x', 'float32', shape);
    const length = builder.op('Shape', [x], { start: 0, end: 2 });
    const flat = builder.op('Reshape', [x, builder.op('Concat', [length, builder.ints([2, 3])], { axis: 0 })]);
    expect(await folded(builder.freeze([flat]))).toEqual({ Shape: 1, Concat: 1, Reshape: 1 });
  });

  it('takes Constant nodes of every form as weights', async () => {
    const builder = new GraphBuilder('constants');
    const x = builder.input('x', 'float32', shape);
    const tensor = builder.op('Constant', [], { value: vector('float32', [1, 2, 3, 4, 5, 6]) });
    const number = builder.op('Constant', [], { value_float: { float: 0.5 } });
    const axes = builder.op('Constant', [], { value_ints: [1] });
    const sum = builder.op('ReduceSum', [builder.op('Mul', [builder.op('Add', [x, tensor]), number]), axes]);
    expect(await folded(builder.freeze([sum]))).toEqual({ Add: 1, Mul: 1, ReduceSum: 1 });
  });

  it('evaluates arithmetic, casts, transposes and reshapes of weights', async () => {
    const builder = new GraphBuilder('weights');
    const x = builder.input('x', 'float32', shape);
    const w = builder.weight(
      'w',
      tensorOf(
        'float32',
        [2, 6],
        Float32Array.from({ length: 12 }, (_, i) => i - 4),
      ),
    );
    const root = builder.op('Sqrt', [builder.op('Cast', [builder.scalar('int64', 6)], { to: 1 })]);
    const scale = builder.op('Mul', [
      builder.op('Reciprocal', [root]),
      builder.op('Neg', [builder.scalar('float32', 2)]),
    ]);
    const product = builder.op('MatMul', [x, builder.op('Div', [builder.op('Transpose', [w]), scale])]);
    const bias = builder.op('Reshape', [builder.weight('b', vector('float32', [1, 2], [2, 1])), builder.ints([-1])]);
    const graph = builder.freeze([builder.op('Sub', [product, bias])]);
    expect(await folded(graph)).toEqual({ MatMul: 1, Sub: 1 });
  });

  it('transposes weights of higher rank as the runtime does', async () => {
    const builder = new GraphBuilder('ranks');
    const x = builder.input('x', 'float32', [symbol('batch'), 4, 2, 3]);
    const data = Float32Array.from({ length: 24 }, (_, i) => i);
    const w = builder.weight('w', tensorOf('float32', [2, 3, 4], data));
    const graph = builder.freeze([builder.op('Add', [x, builder.op('Transpose', [w], { perm: [2, 0, 1] })])]);
    expect(await folded(graph)).toEqual({ Add: 1 });
  });

  it('removes what passes values on: Identity, Dropout in inference, casts and reshapes to the same', async () => {
    const builder = new GraphBuilder('passing');
    const x = builder.input('x', 'float32', shape);
    const dropped = builder.op('Dropout', [builder.op('Identity', [x]), builder.scalar('float32', 0.5)]);
    const same = builder.op('Reshape', [builder.op('Cast', [dropped], { to: 1 }), builder.ints([0, 0, 6])]);
    const turned = builder.op('Transpose', [same], { perm: [0, 1, 2] });
    expect(await folded(builder.freeze([builder.op('Relu', [turned])]))).toEqual({ Relu: 1 });
  });

  it('keeps Dropout that trains', () => {
    const builder = new GraphBuilder('training');
    const x = builder.input('x', 'float32', shape);
    const on = builder.constant(tensorOf('bool', [], Uint8Array.of(1)));
    const graph = builder.freeze([builder.op('Dropout', [x, builder.scalar('float32', 0.5), on])]);
    expect(operatorsOf(foldConstants(graph))).toEqual({ Dropout: 1 });
  });

  it('keeps the names of outputs', async () => {
    const builder = new GraphBuilder('outputs');
    const x = builder.input('x', 'float32', shape);
    const relu = builder.op('Relu', [x]);
    const same = builder.op('Identity', [relu], {}, 'same');
    const sum = builder.op('Add', [builder.scalar('float32', 1), builder.scalar('float32', 2)], {}, 'three');
    const graph = builder.freeze([relu, same, sum]);
    expect(await folded(graph)).toEqual({ Relu: 1, Identity: 1 });
    const three = foldConstants(graph).weights.get(value('three'));
    expect(three && numbersOf(three)).toEqual([3]);
  });

  it('computes equal things once, but never random ones', async () => {
    const builder = new GraphBuilder('twice');
    const x = builder.input('x', 'float32', shape);
    const branch = () => builder.op('Softmax', [builder.op('Relu', [x])], { axis: -1 });
    expect(await folded(builder.freeze([builder.op('Add', [branch(), branch()])]))).toEqual({
      Relu: 1,
      Softmax: 1,
      Add: 1,
    });
    const noise = new GraphBuilder('noise');
    const like = noise.input('x', 'float32', shape);
    const random = () => noise.op('RandomNormalLike', [like], {});
    const graph = noise.freeze([noise.op('Sub', [random(), random()])]);
    expect(operatorsOf(foldConstants(graph))).toEqual({ RandomNormalLike: 2, Sub: 1 });
  });

  it('tells nodes apart by their attributes', async () => {
    const builder = new GraphBuilder('attributes');
    const x = builder.input('x', 'float32', shape);
    const parts = [0, 1].map((axis) => builder.op('ReduceMax', [x, builder.ints([axis])], { keepdims: 1 }));
    const axes = [1, 2].map((axis) => builder.op('Softmax', [x], { axis }));
    const sum = builder.op('Add', [builder.op('Add', axes), builder.op('Add', parts)]);
    expect(await folded(builder.freeze([sum]))).toMatchObject({ Softmax: 2, ReduceMax: 2 });
  });

  it('leaves out what no output needs', async () => {
    const builder = new GraphBuilder('dead');
    const x = builder.input('x', 'float32', shape);
    builder.op('Exp', [builder.weight('unused', vector('float32', [1, 2]))]);
    const graph = builder.freeze([builder.op('Relu', [x])]);
    const all = { ...graph, weights: new Map([...graph.weights, [value('spare'), vector('float32', [1])]]) };
    expect([...foldConstants(all).weights.keys()]).toEqual([]);
  });

  it('keeps names that the body of an If reads', () => {
    const builder = new GraphBuilder('outer');
    const x = builder.input('x', 'float32', [2]);
    const seen = builder.op('Identity', [builder.op('Relu', [x])], {}, 'seen');
    const body: Graph = {
      name: 'body',
      nodes: [{ op: 'Neg', domain: '', name: 'n', inputs: [seen], outputs: [value('r')], attrs: {} }],
      inputs: [],
      outputs: [value('r')],
      weights: new Map(),
      types: new Map(),
      opsets: { '': 20 },
    };
    const condition = builder.input('c', 'bool', []);
    const branches = {
      then_branch: { kind: 'graph', value: body },
      else_branch: { kind: 'graph', value: body },
    } as const;
    builder.add({ op: 'If', domain: '', name: 'if', inputs: [condition], outputs: [value('y')], attrs: branches });
    const result = foldConstants(builder.freeze([value('y')]));
    expect(result.nodes.map(({ outputs }) => outputs[0])).toContain('seen');
  });
});

const matrix = (builder: GraphBuilder, name = 'w'): Value =>
  builder.weight(
    name,
    tensorOf(
      'float32',
      [3, 3],
      Float32Array.from({ length: 9 }, (_, i) => Math.sin(i)),
    ),
  );

/** Weights that may be trained: more than one float. */
const learners = (graph: Graph): readonly string[] =>
  [...graph.weights]
    .filter(([, { dtype, dims }]) => dtype === 'float32' && elementCount(dims) > 1)
    .map(([name]) => name);

const gradientOfWeights = async (graph: Graph): Promise<Readonly<Record<string, number[]>>> => {
  const builder = new GraphBuilder('trained', graph.opsets);
  builder.input('x', 'float32', [2, 3]);
  const wrt = learners(graph).map((name) =>
    builder.weight(name, graph.weights.get(value(name)) ?? vector('float32', [])),
  );
  for (const [name, tensor] of graph.weights) if (!learners(graph).includes(name)) builder.weight(name, tensor);
  for (const node of graph.nodes) builder.add(node, (output) => graph.types.get(output));
  const sums = graph.outputs.map((output) => builder.op('ReduceSum', [output], { keepdims: 0 }));
  const loss = sums.reduce((a, b) => builder.op('Add', [a, b]));
  const gradients = differentiate(builder, loss, wrt);
  const outputs = wrt.map((name) => builder.op('Identity', [gradients.get(name) ?? name]));
  const found = await outputsOf(builder.freeze(outputs), {
    x: { dtype: 'float32', dims: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
  });
  return Object.fromEntries(wrt.map((name, i) => [name, Array.from(found[i] ?? [])]));
};

/** Other readers of a weight that is multiplied by, too. */
const ties: readonly (readonly [string, (b: GraphBuilder, w: Value) => Value])[] = [
  ['turned', (b, w) => b.op('Transpose', [w])],
  ['turned twice', (b, w) => b.op('Transpose', [b.op('Transpose', [w])])],
  ['turned behind a copy', (b, w) => b.op('Transpose', [b.op('Identity', [w])])],
  ['reshaped', (b, w) => b.op('Reshape', [b.op('Reshape', [w, b.ints([9])]), b.ints([3, 3])])],
  ['with an axis added and dropped', (b, w) => b.op('Squeeze', [b.op('Unsqueeze', [w, b.ints([0])]), b.ints([0])])],
  ['flattened', (b, w) => b.op('Flatten', [w])],
  ['cast and cast back', (b, w) => b.op('Cast', [b.op('Cast', [w], { to: 11 })], { to: 1 })],
  ['negated', (b, w) => b.op('Neg', [w])],
  ['scaled', (b, w) => b.op('Mul', [w, b.scalar('float32', 2)])],
  ['added to itself', (b, w) => b.op('Add', [w, w])],
];

describe('folding keeps what is tied tied', () => {
  const tied = (reader: (b: GraphBuilder, w: Value) => Value, copied: boolean): Graph => {
    const builder = new GraphBuilder('tied');
    const x = builder.input('x', 'float32', [2, 3]);
    const w = matrix(builder);
    const hidden = builder.op('MatMul', [x, copied ? builder.op('Identity', [w]) : w]);
    return builder.freeze([builder.op('MatMul', [hidden, reader(builder, w)])]);
  };

  it.each(ties)('a matrix that is read elsewhere %s', async (_, reader) => {
    for (const graph of [tied(reader, false), tied(reader, true)]) {
      const result = foldConstants(graph);
      expect(learners(result)).toEqual(['w']);
      expect(foldConstants(result)).toEqual(result);
      expect(await gradientOfWeights(result)).toEqual(await gradientOfWeights(graph));
    }
  });

  it('a matrix that is an output, too', () => {
    const builder = new GraphBuilder('output');
    const w = matrix(builder);
    const product = builder.op('MatMul', [builder.input('x', 'float32', [2, 3]), builder.op('Transpose', [w])]);
    expect(learners(foldConstants(builder.freeze([product, w])))).toEqual(['w']);
  });

  it('a matrix that two nodes read alike is turned once', () => {
    const builder = new GraphBuilder('alike');
    const [x, w] = [builder.input('x', 'float32', [2, 3]), matrix(builder)];
    const turned = () => builder.op('Transpose', [w]);
    const graph = builder.freeze([builder.op('MatMul', [builder.op('MatMul', [x, turned()]), turned()])]);
    const result = foldConstants(graph);
    expect(operatorsOf(result)).toEqual({ MatMul: 2 });
    expect(learners(result)).toHaveLength(1);
    expect(foldConstants(result)).toEqual(result);
  });

  it('two biases of equal numbers stay two', async () => {
    const builder = new GraphBuilder('zeros');
    const x = builder.input('x', 'float32', [2, 3]);
    const bias = (name: string): Value =>
      builder.op('Reshape', [builder.weight(name, vector('float32', [0, 0, 0], [1, 3])), builder.ints([3])]);
    const written = (): Value => builder.op('Constant', [], { value: vector('float32', [0, 0, 0]) });
    const sum = [bias('a'), bias('b'), written(), written()].reduce((y, b) => builder.op('Add', [y, b]), x);
    const result = foldConstants(builder.freeze([sum]));
    expect(operatorsOf(result)).toEqual({ Add: 4 });
    expect(learners(result)).toHaveLength(4);
  });

  it('numbers that are shared are folded all the same', async () => {
    const builder = new GraphBuilder('numbers');
    const x = builder.input('x', 'float32', shape);
    const two = builder.scalar('float32', 2);
    const root = builder.op('Sqrt', [two]);
    const graph = builder.freeze([builder.op('Mul', [builder.op('Add', [x, two]), root])]);
    expect(await folded(graph)).toEqual({ Add: 1, Mul: 1 });
  });
});
