import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import { arrayOf, type Tensor, tensorOf, vector } from '../../graph/tensor.ts';
import { alignLabels } from '../../models/labels.ts';
import type { Model } from '../../models/model.ts';
import { textPort, textSignature } from '../../models/signature.ts';

const CLASSES = ['a', 'b', 'c'];
const WIDTH = 2;
const ROWS = 2;

type Emitted = (builder: GraphBuilder, x: Value) => Value;

const modelOf = (graph: Graph): Model => ({
  graph,
  tokenizer: {},
  info: {
    schema: 'decant.model/2',
    task: 'text-classification',
    labels: CLASSES,
    signature: textSignature({ ids: value('ids'), mask: value('mask') }, textPort(graph.outputs[0] ?? value(''))),
    maxLength: 8,
    processor: { tokens: { padding: 0, unknown: 1 } },
    modelType: 'bert',
    dimensions: {},
  },
});

const classifier = (emitted: Emitted, dims = [symbol('batch'), WIDTH]): Model => {
  const builder = new GraphBuilder('classifier', { '': 20, 'com.microsoft': 1 });
  const x = builder.input('x', 'float32', dims);
  return modelOf(builder.freeze([builder.op('Identity', [emitted(builder, x)], {}, 'logits')]));
};

const answersOf = async (graph: Graph, dims: readonly number[]): Promise<readonly number[]> => {
  const program = await cpuEngine.compile(graph, { threads: 1, optimization: 'none' });
  try {
    const data = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => i + 1);
    const { logits } = await program.run({ x: { dtype: 'float32', dims, data } });
    return Array.from(logits?.data ?? [], Number);
  } finally {
    await program.release();
  }
};

/** Rows of (in, classes): column 1 is 10, 11, column 2 is 20, 21 and so on. */
const columns = vector('float32', [10, 20, 30, 11, 21, 31], [2, 3]);
const rows = vector('float32', [10, 11, 20, 21, 30, 31], [3, 2]);
const bias = vector('float32', [0.1, 0.2, 0.3]);
const small = vector('float32', [0.1, 0.2, -0.3, -0.05, 0.07, 0.15], [2, 3]);

const added = (b: GraphBuilder, product: Value, tensor: Tensor = bias): Value =>
  b.op('Add', [product, b.weight('bias', tensor)]);
const product = (b: GraphBuilder, x: Value): Value => b.op('MatMul', [x, b.weight('matrix', columns)]);
const scores = (b: GraphBuilder, x: Value): Value => added(b, b.op('MatMul', [x, b.weight('matrix', small)]));

/** Every way in which exporters write the last layer of a classifier. */
const heads: readonly (readonly [string, Emitted])[] = [
  ['a product alone', product],
  ['a product and a bias', (b, x) => added(b, product(b, x))],
  ['a bias on the left', (b, x) => b.op('Add', [b.weight('bias', bias), product(b, x)])],
  ['a bias with an axis for the batch', (b, x) => added(b, product(b, x), { ...bias, dims: [1, 3] })],
  ['one number as bias', (b, x) => added(b, product(b, x), vector('float32', [0.5], [1]))],
  ['a subtracted bias', (b, x) => b.op('Sub', [product(b, x), b.weight('bias', bias)])],
  ['two biases', (b, x) => b.op('Add', [added(b, product(b, x)), b.weight('prior', bias)])],
  [
    'a matrix that is turned first',
    (b, x) => added(b, b.op('MatMul', [x, b.op('Transpose', [b.weight('matrix', rows)])])),
  ],
  [
    'a matrix of whole numbers',
    (b, x) => {
      const integers = b.weight('matrix', tensorOf('int8', [2, 3], Int8Array.of(10, 20, 30, 11, 21, 31)));
      const steps = b.weight('steps', vector('float32', [1, 0.5, 0.25]));
      const zeros = b.weight('zeros', tensorOf('int8', [3], Int8Array.of(0, 1, 2)));
      return added(b, b.op('MatMul', [x, b.op('DequantizeLinear', [integers, steps, zeros], { axis: 1 })]));
    },
  ],
  [
    'a matrix on the left',
    (b, x) => b.op('Transpose', [b.op('MatMul', [b.weight('matrix', rows), b.op('Transpose', [x])])]),
  ],
  ['Gemm', (b, x) => b.op('Gemm', [x, b.weight('matrix', columns), b.weight('bias', bias)])],
  ['Gemm without a bias', (b, x) => b.op('Gemm', [x, b.weight('matrix', columns)])],
  [
    'Gemm of (classes, in)',
    (b, x) => b.op('Gemm', [x, b.weight('matrix', rows), b.weight('bias', bias)], { transB: 1 }),
  ],
  ['Gemm of (classes, in) without a bias', (b, x) => b.op('Gemm', [x, b.weight('matrix', rows)], { transB: 1 })],
  [
    'Gemm with factors',
    (b, x) =>
      b.op('Gemm', [x, b.weight('matrix', rows), b.weight('bias', bias)], {
        transB: 1,
        alpha: 0.5,
        beta: { float: 2 },
      }),
  ],
  [
    'Gemm with one number as bias',
    (b, x) => b.op('Gemm', [x, b.weight('matrix', rows), b.weight('bias', vector('float32', [3], []))], { transB: 1 }),
  ],
  [
    'Gemm with a row as bias',
    (b, x) => b.op('Gemm', [x, b.weight('matrix', rows), b.weight('bias', { ...bias, dims: [1, 3] })], { transB: 1 }),
  ],
  [
    'Gemm with a number a text as bias',
    (b, x) =>
      b.op('Gemm', [x, b.weight('matrix', rows), b.weight('bias', vector('float32', [3, 4], [2, 1]))], { transB: 1 }),
  ],
  [
    'Gemm of turned features',
    (b, x) =>
      b.op('Gemm', [b.op('Transpose', [x]), b.weight('matrix', rows), b.weight('bias', bias)], {
        transA: 1,
        transB: 1,
      }),
  ],
  [
    'Gemm of turned features and (in, classes)',
    (b, x) => b.op('Gemm', [b.op('Transpose', [x]), b.weight('matrix', columns)], { transA: 1 }),
  ],
  [
    'Gemm with the matrix first',
    (b, x) => b.op('Transpose', [b.op('Gemm', [b.weight('matrix', rows), x], { transB: 1 })]),
  ],
  ['Gemm and a bias behind', (b, x) => added(b, b.op('Gemm', [x, b.weight('matrix', rows)], { transB: 1 }))],
  ['a temperature', (b, x) => b.op('Div', [added(b, product(b, x)), b.scalar('float32', 2)])],
  [
    'a factor a class',
    (b, x) => b.op('Mul', [added(b, product(b, x)), b.weight('factor', vector('float32', [1, 2, 3]))]),
  ],
  ['a cast behind', (b, x) => b.op('Cast', [added(b, product(b, x))], { to: 1 })],
  ['a shape behind', (b, x) => b.op('Reshape', [added(b, product(b, x)), b.ints([-1, 3])])],
  [
    'an axis dropped',
    (b, x) => b.op('Squeeze', [added(b, product(b, b.op('Unsqueeze', [x, b.ints([1])]))), b.ints([1])]),
  ],
  ['Sigmoid', (b, x) => b.op('Sigmoid', [scores(b, x)])],
  ['Softmax', (b, x) => b.op('Softmax', [scores(b, x)], { axis: -1 })],
  ['LogSoftmax', (b, x) => b.op('LogSoftmax', [scores(b, x)], { axis: 1 })],
  ['Softmax and a prior', (b, x) => b.op('Mul', [b.op('Softmax', [scores(b, x)]), b.weight('prior', bias)])],
  [
    'Softmax in float64',
    (b, x) => b.op('Cast', [b.op('Softmax', [b.op('Cast', [scores(b, x)], { to: 11 })])], { to: 1 }),
  ],
];

const columnsOf = (answers: readonly number[], classes: number): readonly (readonly number[])[] =>
  Array.from({ length: classes }, (_, k) => answers.filter((_, i) => i % classes === k));

describe('a classifier with its classes in the order of the data', () => {
  it.each(heads)('answers as before, class by class: %s', async (_, emitted) => {
    const model = classifier(emitted);
    const before = columnsOf(await answersOf(model.graph, [ROWS, WIDTH]), 3);
    for (const labels of [
      ['c', 'a', 'b'],
      ['b', 'c', 'a'],
      ['b', 'a', 'c'],
    ]) {
      const aligned = alignLabels(model, labels);
      expect(aligned.info.labels).toEqual(labels);
      const after = columnsOf(await answersOf(aligned.graph, [ROWS, WIDTH]), 3);
      expect(after.map((column) => column.map((x) => x.toPrecision(6)))).toEqual(
        labels.map((label) => before[CLASSES.indexOf(label)]?.map((x) => x.toPrecision(6))),
      );
    }
  });

  it.each(heads.filter(([name]) => !/oftmax/.test(name)))(
    'answers with some of its classes, in any order: %s',
    async (_, emitted) => {
      const model = classifier(emitted);
      const before = columnsOf(await answersOf(model.graph, [ROWS, WIDTH]), 3);
      const aligned = alignLabels(model, ['c', 'a']);
      const after = columnsOf(await answersOf(aligned.graph, [ROWS, WIDTH]), 2);
      expect(after).toEqual([before[2], before[0]]);
      expect(aligned.graph.types.get(aligned.graph.outputs[0] as Value)?.shape?.at(-1)).toBe(2);
    },
  );

  it('moves the rows of a matrix that is stored as (classes, in)', () => {
    const model = classifier((b, x) =>
      b.op('Gemm', [x, b.weight('matrix', rows), b.weight('bias', bias)], { transB: 1 }),
    );
    const { weights } = alignLabels(model, ['c', 'a', 'b']).graph;
    const [matrix, moved] = ['matrix', 'bias'].map((name) => weights.get(name as Value));
    expect(matrix && [...arrayOf({ ...matrix, dtype: 'float32' })]).toEqual([30, 31, 10, 11, 20, 21]);
    expect(moved && [...arrayOf({ ...moved, dtype: 'float32' })]).toEqual([...Float32Array.of(0.3, 0.1, 0.2)]);
  });

  it('answers at every word likewise', async () => {
    const dims = [symbol('batch'), symbol('sequence'), WIDTH];
    const model = classifier((b, x) => added(b, product(b, x)), dims);
    const before = columnsOf(await answersOf(model.graph, [2, 3, WIDTH]), 3);
    const after = columnsOf(await answersOf(alignLabels(model, ['b', 'c', 'a']).graph, [2, 3, WIDTH]), 3);
    expect(after).toEqual([before[1], before[2], before[0]]);
  });

  it('chooses among the classes that are left where its answers are shares', async () => {
    const model = classifier((b, x) => b.op('Softmax', [scores(b, x)], { axis: -1 }));
    const before = columnsOf(await answersOf(model.graph, [ROWS, WIDTH]), 3);
    const [c, a] = columnsOf(await answersOf(alignLabels(model, ['c', 'a']).graph, [ROWS, WIDTH]), 2);
    const share = before[2]?.map((x, i) => x / (x + (before[0]?.[i] ?? 0))) ?? [];
    expect(c?.map((x) => x.toFixed(6))).toEqual(share.map((x) => x.toFixed(6)));
    expect(a?.map((x) => x.toFixed(6))).toEqual(share.map((x) => (1 - x).toFixed(6)));
  });
});

describe('a classifier whose classes cannot be put in another order says why', () => {
  it.each([
    [
      'two matrices side by side',
      /axis 1 of '.*' does not list all 3/,
      (b: GraphBuilder, x: Value) => {
        const [left, right] = [vector('float32', [1, 2], [2, 1]), vector('float32', [1, 2, 3, 4], [2, 2])];
        return b.op(
          'Concat',
          [b.op('MatMul', [x, b.weight('left', left)]), b.op('MatMul', [x, b.weight('right', right)])],
          { axis: 1 },
        );
      },
    ],
    [
      'no weight at all',
      /is no product with a weight|would change axis 1 of the input/,
      (b: GraphBuilder, x: Value) =>
        b.op('Tanh', [b.op('Concat', [x, b.op('ReduceSum', [x, b.ints([1])])], { axis: 1 })]),
    ],
    [
      'classes that are numbered',
      /chooses by position/,
      (b: GraphBuilder, x: Value) => b.op('Trilu', [added(b, product(b, x))]),
    ],
    [
      'a matrix that looks up words, too',
      /Gather '.*': looks up axis/,
      (b: GraphBuilder, x: Value) => {
        const table = b.weight('table', rows);
        const rowsOfIds = b.op('Gather', [table, b.op('Cast', [x], { to: 7 })]);
        const features = b.op('ReduceSum', [rowsOfIds, b.ints([1])], { keepdims: 0 });
        return b.op('Gemm', [features, table], { transB: 1 });
      },
    ],
  ] as const)('%s', (_, message, emitted) => {
    expect(() => alignLabels(classifier(emitted), ['b', 'a', 'c'])).toThrow(message);
  });
});
