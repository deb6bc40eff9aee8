import { describe, expect, it } from 'vitest';
import type { HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { decodeGraph, encodeGraph } from '../../graph/codec/index.ts';
import { differentiate } from '../../graph/differentiate.ts';
import { symbol } from '../../graph/dim.ts';
import type { Graph, Node, Value } from '../../graph/graph.ts';
import { foldConstants } from '../../graph/rewrite/index.ts';
import { arrayOf, type DType, type Tensor, vector } from '../../graph/tensor.ts';

const LARGEST = 2n ** 63n - 1n;
const SMALLEST = -(2n ** 63n);
const INT64 = 7;
const INT32 = 6;

type Emitted = (builder: GraphBuilder) => Value;

const long = (builder: GraphBuilder, dims: readonly number[], ...values: readonly bigint[]): Value =>
  builder.constant(vector('int64', values, dims));

const feeds = {
  x: { dtype: 'int64', dims: [4], data: BigInt64Array.of(10n, 11n, 12n, 13n) },
} as const satisfies Readonly<Record<string, HostTensor>>;

const resultOf = async (graph: Graph): Promise<readonly (string | number)[]> => {
  const program = await cpuEngine.compile(graph, { threads: 1, optimization: 'none' });
  try {
    const used = Object.fromEntries(Object.entries(feeds).filter(([name]) => graph.inputs.some((v) => v === name)));
    const results = await program.run(used);
    return graph.outputs.flatMap((output) => Array.from(results[output]?.data ?? ['nothing'], String));
  } finally {
    await program.release();
  }
};

/** A graph over x (int64, 4 elements) as its author meant it, and after the file and after folding. */
const expectSame = async (emitted: Emitted, expected: readonly (bigint | number)[], fixed = false): Promise<Graph> => {
  const builder = new GraphBuilder('long');
  builder.input('x', 'int64', [fixed ? 4 : symbol('n')]);
  const output = emitted(builder);
  const graph = builder.freeze([builder.op('Identity', [output])]);
  expect(await resultOf(graph)).toEqual(expected.map(String));
  const read = decodeGraph(encodeGraph(graph));
  expect(await resultOf(read)).toEqual(expected.map(String));
  const folded = foldConstants(read);
  expect(await resultOf(folded)).toEqual(expected.map(String));
  return folded;
};

const typed = (name: string, dtype: DType, kind: 'ints' | 'int', ...values: readonly bigint[]): Emitted => {
  const exact =
    kind === 'int'
      ? { value: Number(values[0]), exact: values[0] ?? 0n }
      : { value: values.map(Number), exact: values };
  return (builder) => {
    const outputs = [`${name}_${dtype}` as Value];
    const attrs = { [name]: { kind, ...exact } } as Node['attrs'];
    builder.add({ op: 'Constant', domain: '', name: 'constant', inputs: [], outputs, attrs });
    return outputs[0] as Value;
  };
};

const bounds: readonly (readonly [string, Emitted])[] = [
  ['an initializer', (b) => long(b, [1], LARGEST)],
  ['a Constant of a tensor', (b) => b.op('Constant', [], { value: vector('int64', [LARGEST]) })],
  ['a Constant of integers', typed('value_ints', 'int64', 'ints', LARGEST)],
  ['a Constant of an integer', (b) => b.op('Unsqueeze', [typed('value_int', 'int64', 'int', LARGEST)(b), b.ints([0])])],
  ['an attribute that decant writes', (b) => b.op('Constant', [], { value_ints: [2 ** 63] })],
  ['a number with an axis added', (b) => b.op('Unsqueeze', [long(b, [], LARGEST), b.ints([0])])],
  ['a number reshaped', (b) => b.op('Reshape', [long(b, [], LARGEST), b.ints([1])])],
  ['a join', (b) => b.op('Concat', [long(b, [1], LARGEST)], { axis: 0 })],
  ['a part', (b) => b.op('Slice', [long(b, [2], 0n, LARGEST), b.ints([1]), long(b, [1], LARGEST)])],
  ['an element', (b) => b.op('Gather', [long(b, [2], 0n, LARGEST), b.ints([-1])])],
  ['a choice', (b) => b.op('Where', [b.op('Equal', [b.ints([1]), b.ints([1])]), long(b, [1], LARGEST), b.ints([2])])],
  ['the larger of two', (b) => b.op('Max', [b.ints([3]), long(b, [1], LARGEST)])],
  ['a repeated number', (b) => b.op('Expand', [long(b, [], LARGEST), b.ints([1])])],
  ['a filled shape', (b) => b.op('ConstantOfShape', [b.ints([1])], { value: vector('int64', [LARGEST]) })],
  ['a sum', (b) => b.op('Add', [long(b, [1], LARGEST - 5n), b.ints([5])])],
  ['a cast', (b) => b.op('Cast', [long(b, [1], LARGEST)], { to: INT64 })],
];

describe('the largest int64', () => {
  it.each(bounds)('ends a slice as %s, folded or not', async (_, end) => {
    await expectSame((b) => b.op('Slice', [b.op('Identity', ['x' as Value]), b.ints([1]), end(b)]), [11, 12, 13]);
    await expectSame((b) => b.op('Slice', [b.op('Identity', ['x' as Value]), b.ints([1]), end(b)]), [11, 12, 13], true);
    await expectSame((b) => b.op('Slice', [b.ints([7, 8, 9]), b.ints([1]), end(b)]), [8, 9]);
  });

  it.each(bounds)('stays itself as %s, folded or not', async (_, end) => {
    await expectSame((b) => end(b), [LARGEST]);
  });
});

describe('slices with bounds beyond every axis', () => {
  it.each([
    ['from the first', [SMALLEST, LARGEST, 1n], [10, 11, 12, 13]],
    ['from the end', [-2n, LARGEST, 1n], [12, 13]],
    ['nothing before the start', [0n, SMALLEST, 1n], []],
    ['nothing behind the end', [LARGEST, LARGEST, 1n], []],
    ['backwards', [-1n, SMALLEST, -1n], [13, 12, 11, 10]],
    ['backwards from anywhere', [LARGEST, SMALLEST, -1n], [13, 12, 11, 10]],
    ['backwards as exporters flip', [-1n, -LARGEST, -1n], [13, 12, 11, 10]],
    ['one step for all', [0n, LARGEST, LARGEST], [10]],
    ['every second', [1n, LARGEST, 2n], [11, 13]],
  ] as const)('pick what the runtime picks: %s', async (_, [start, end, step], expected) => {
    const sliced: Emitted = (b) =>
      b.op('Slice', ['x' as Value, long(b, [1], start), long(b, [1], end), b.ints([0]), long(b, [1], step)]);
    for (const fixed of [true, false]) {
      const graph = await expectSame(sliced, expected, fixed);
      const size = graph.types.get(graph.outputs[0] as Value)?.shape?.[0];
      if (fixed) expect(size).toBe(expected.length);
      else if (typeof size === 'number') expect(size).toBe(expected.length);
    }
    const floats = new GraphBuilder('gradient');
    const x = floats.input('x', 'float32', [symbol('n')]);
    const y = floats.op('Slice', [x, ...[start, end, 0n, step].map((bound) => long(floats, [1], bound))]);
    const gradient = differentiate(floats, floats.op('ReduceSum', [y], { keepdims: 0 }), [x]).get(x) as Value;
    const program = await cpuEngine.compile(floats.freeze([gradient]), { threads: 1, optimization: 'none' });
    const { [gradient]: dx } = await program.run({
      x: { dtype: 'float32', dims: [4], data: Float32Array.of(1, 2, 3, 4) },
    });
    await program.release();
    expect(Array.from(dx?.data ?? [], Number)).toEqual(
      [10, 11, 12, 13].map((n) => Number(expected.some((e) => e === n))),
    );
  });

  it('are refused where they take no step', () => {
    const builder = new GraphBuilder('still');
    const x = builder.input('x', 'int64', [4]);
    const parts = [builder.ints([0]), builder.ints([4]), builder.ints([0]), builder.ints([0])];
    expect(() => builder.op('Slice', [x, ...parts], {}, 'still')).toThrow("Slice 'still' takes steps of 0");
  });
});

describe('arithmetic of integers', () => {
  const far = 2n ** 53n;
  it.each([
    ['a difference at the end', (b: GraphBuilder) => b.op('Sub', [long(b, [1], LARGEST), b.ints([1])]), [LARGEST - 1n]],
    ['an odd sum beyond whole doubles', (b: GraphBuilder) => b.op('Add', [long(b, [1], far), b.ints([1])]), [far + 1n]],
    [
      'a sum that leaves whole doubles',
      (b: GraphBuilder) => b.op('Add', [long(b, [1], far - 1n), b.ints([2])]),
      [far + 1n],
    ],
    [
      'a product that wraps around',
      (b: GraphBuilder) => b.op('Mul', [long(b, [1], 2n ** 40n), long(b, [1], 2n ** 40n)]),
      [0n],
    ],
    [
      'a product beyond doubles',
      (b: GraphBuilder) => b.op('Mul', [long(b, [1], 2n ** 31n + 1n), long(b, [1], 2n ** 31n + 1n)]),
      [(2n ** 31n + 1n) ** 2n],
    ],
    ['a quotient', (b: GraphBuilder) => b.op('Div', [long(b, [1], LARGEST), b.ints([2])]), [LARGEST / 2n]],
    [
      'equality of neighbours',
      (b: GraphBuilder) =>
        b.op('Cast', [b.op('Equal', [long(b, [1], LARGEST), long(b, [1], LARGEST - 1n)])], { to: INT64 }),
      [0n],
    ],
    [
      'an order of neighbours',
      (b: GraphBuilder) => b.op('Cast', [b.op('Less', [long(b, [1], far), long(b, [1], far + 1n)])], { to: INT64 }),
      [1n],
    ],
    [
      'a cast to fewer bits',
      (b: GraphBuilder) => b.op('Cast', [long(b, [2], 2n ** 40n + 3n, -1n)], { to: INT32 }),
      [3n, -1n],
    ],
    [
      'a range beyond whole doubles',
      (b: GraphBuilder) => b.op('Range', [long(b, [], far), long(b, [], far + 6n), b.scalar('int64', 2)]),
      [far, far + 2n, far + 4n],
    ],
    [
      'a cast of floats',
      (b: GraphBuilder) => b.op('Cast', [b.constant(vector('float64', [2 ** 40 + 1, -1.5, -0.5]))], { to: INT64 }),
      [2n ** 40n + 1n, -1n, 0n],
    ],
    [
      'a cast of floats to 32 bits',
      (b: GraphBuilder) => b.op('Cast', [b.constant(vector('float32', [-(2 ** 31), 7.9]))], { to: INT32 }),
      [-(2n ** 31n), 7n],
    ],
    [
      'a sum of 32 bits that wraps around',
      (b: GraphBuilder) => b.op('Add', [b.constant(vector('int32', [2 ** 31 - 1])), b.constant(vector('int32', [1]))]),
      [-(2n ** 31n)],
    ],
  ] as const)('is the same folded or not: %s', async (_, emitted, expected) => {
    await expectSame(emitted, expected);
  });

  it('rounds an integer to a float once', async () => {
    const odd = 2n ** 53n + 2n ** 29n + 1n;
    const exact = Math.fround(Number(2n ** 53n + 2n ** 30n));
    await expectSame(
      (b) => b.op('Cast', [b.op('Cast', [long(b, [1], odd)], { to: 1 })], { to: INT64 }),
      [BigInt(exact)],
    );
  });
});

describe('tensors of integers', () => {
  const longs = (tensor: Tensor): readonly bigint[] => [...arrayOf({ ...tensor, dtype: 'int64' })];

  it('hold the ends of int64, as integers or as the double that stands for the largest', () => {
    expect(longs(vector('int64', [LARGEST, SMALLEST, 2 ** 63, -(2 ** 63), 5]))).toEqual([
      LARGEST,
      SMALLEST,
      LARGEST,
      SMALLEST,
      5n,
    ]);
  });

  it.each([
    ['int64', 2 ** 64],
    ['int64', 2n ** 63n],
    ['int64', SMALLEST - 1n],
    ['int64', 0.5],
    ['int64', Number.NaN],
    ['int64', Number.POSITIVE_INFINITY],
    ['int32', 2 ** 31],
    ['int32', -(2n ** 31n) - 1n],
    ['int32', 0.5],
    ['int32', Number.NaN],
  ] as const)('refuse what does not fit: %s of %s', (dtype, value) => {
    expect(() => vector(dtype, [value])).toThrow(RangeError);
  });

  it('go into a session and come out of it as they are', async () => {
    const builder = new GraphBuilder('through');
    const y = builder.op('Identity', [builder.input('x', 'int64', [2])]);
    const program = await cpuEngine.compile(builder.freeze([y]), { threads: 1 });
    const data = BigInt64Array.of(LARGEST, SMALLEST);
    const { [y]: result } = await program.run({ x: { dtype: 'int64', dims: [2], data } });
    await program.release();
    expect(result?.data).toEqual(data);
  });
});

describe('integers in attributes', () => {
  it.each([LARGEST, LARGEST - 1n, -LARGEST, SMALLEST, SMALLEST + 2n, 2n ** 53n - 1n])(
    'are %s in the file again',
    (value) => {
      const builder = new GraphBuilder('attributes');
      const y = typed('value_ints', 'int64', 'ints', value, 3n)(builder);
      const bytes = encodeGraph(builder.freeze([y]));
      const read = decodeGraph(bytes);
      expect(Buffer.compare(encodeGraph(read), bytes)).toBe(0);
      const folded = foldConstants(read).weights.get(y);
      expect(folded && [...arrayOf({ ...folded, dtype: 'int64' })]).toEqual([value, 3n]);
    },
  );
});
