import { describe, expect, it } from 'vitest';
import { type Stream, stream } from '../../data/random.ts';
import type { HostTensor, Program } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { differentiate } from '../../graph/differentiate.ts';
import { symbol } from '../../graph/dim.ts';
import type { Value } from '../../graph/graph.ts';

/** Sizes of a real step: with these, ScatterND with reduction add was seen to lose updates under two and four threads. */
const ROWS = 8002;
const WIDTH = 256;
const LENGTH = 24;
const BATCH = 64;
/** Squares of uniform numbers below this: the first rows come again and again, as frequent words do. */
const DISTINCT = 2000;
const REPETITIONS = 15;
/** A row sums at most some 100 float32 numbers of size one: their rounding errors add up to some 1e-5. */
const SUM_TOLERANCE = 1e-4;

/** loss = sum of y * dy, so that d loss / d y is dy itself. */
const lookUpGradient = (emit: (builder: GraphBuilder, table: Value, ids: Value) => Value, idRank: number) => {
  const builder = new GraphBuilder('look-up');
  const table = builder.input('table', 'float32', [ROWS, WIDTH]);
  const ids = builder.input('ids', 'int64', [symbol('batch'), symbol('sequence'), 1].slice(0, idRank));
  const dy = builder.input('dy', 'float32', [symbol('batch'), symbol('sequence'), WIDTH]);
  const product = builder.op('Mul', [emit(builder, table, ids), dy]);
  const loss = builder.op('ReduceSum', [product], { keepdims: 0 });
  const dx = differentiate(builder, loss, [table]).get(table);
  if (dx === undefined) throw new Error('no gradient for the table');
  return { graph: builder.freeze([dx], { keepInputs: false }), dx };
};

const randomIds = (random: Stream): number[] =>
  Array.from({ length: BATCH * LENGTH }, () => {
    const id = Math.floor(DISTINCT * random.uniform() ** 2);
    return random.integer(2) === 0 ? id : id - ROWS;
  });

const plainSum = (ids: readonly number[], dy: Float32Array): Float64Array => {
  const sum = new Float64Array(ROWS * WIDTH);
  ids.forEach((id, i) => {
    const row = id < 0 ? id + ROWS : id;
    for (let j = 0; j < WIDTH; j++) sum[row * WIDTH + j] = (sum[row * WIDTH + j] ?? 0) + (dy[i * WIDTH + j] ?? 0);
  });
  return sum;
};

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs((a[i] ?? 0) - (b[i] ?? 0)));
  return largest;
};

const gradientOf = async (program: Program, feeds: Readonly<Record<string, HostTensor>>, dx: Value) => {
  const { data } = (await program.run(feeds))[dx] ?? {};
  if (!(data instanceof Float32Array)) throw new Error('the gradient is no float32 array');
  return data;
};

describe('the gradient of an embedding', () => {
  const gather = lookUpGradient((builder, table, ids) => builder.op('Gather', [table, ids]), 2);
  const gatherND = lookUpGradient((builder, table, ids) => builder.op('GatherND', [table, ids]), 3);

  it.each([
    { name: 'Gather', ...gather, dims: [BATCH, LENGTH] },
    { name: 'GatherND', ...gatherND, dims: [BATCH, LENGTH, 1] },
  ])('of $name sums repeated ids, the same bits every time under four threads', async ({ graph, dx, dims }) => {
    const random = stream(1, 'embedding');
    const ids = randomIds(random);
    const dy = Float32Array.from({ length: BATCH * LENGTH * WIDTH }, () => random.normal());
    const feeds: Readonly<Record<string, HostTensor>> = {
      table: { dtype: 'float32', dims: [ROWS, WIDTH], data: new Float32Array(ROWS * WIDTH) },
      ids: { dtype: 'int64', dims, data: BigInt64Array.from(ids, BigInt) },
      dy: { dtype: 'float32', dims: [BATCH, LENGTH, WIDTH], data: dy },
    };
    const program = await cpuEngine.compile(graph, { threads: 4 });
    try {
      const first = await gradientOf(program, feeds, dx);
      expect(largestDifference(first, plainSum(ids, dy))).toBeLessThan(SUM_TOLERANCE);
      for (let i = 1; i < REPETITIONS; i++) {
        const again = await gradientOf(program, feeds, dx);
        expect(Buffer.compare(Buffer.from(again.buffer), Buffer.from(first.buffer)), `repetition ${i}`).toBe(0);
      }
    } finally {
      await program.release();
    }
  });

  it('never scatters with a reduction, which loses updates under threads', () => {
    for (const { graph } of [gather, gatherND]) {
      const scatters = graph.nodes.filter((node) => node.op.startsWith('Scatter'));
      expect(scatters).toHaveLength(1);
      expect(scatters[0]?.attrs.reduction).toBeUndefined();
    }
  });
});

describe('shape arithmetic', () => {
  const inferred = (emit: (builder: GraphBuilder, x: Value) => Value) => {
    const builder = new GraphBuilder('arithmetic');
    const x = builder.input('x', 'float32', [symbol('batch'), symbol('sequence'), 12]);
    return builder.type(emit(builder, x)).shape;
  };
  const sizeAt = (builder: GraphBuilder, x: Value, axis: number): Value =>
    builder.op('Unsqueeze', [
      builder.op('Gather', [builder.op('Shape', [x]), builder.scalar('int64', axis)]),
      builder.ints([0]),
    ]);

  it('reaches a reshape through Shape, Gather, Unsqueeze and Concat', () => {
    const shape = inferred((builder, x) => {
      const sizes = [sizeAt(builder, x, 0), sizeAt(builder, x, 1), builder.ints([3, -1])];
      return builder.op('Reshape', [x, builder.op('Concat', sizes, { axis: 0 })]);
    });
    expect(shape).toEqual(['batch', 'sequence', 3, 4]);
  });

  it('merges symbols into their product', () => {
    expect(inferred((builder, x) => builder.op('Reshape', [x, builder.ints([-1, 12])]))).toEqual([
      'batch*sequence',
      12,
    ]);
    expect(inferred((builder, x) => builder.op('Flatten', [x], { axis: 2 }))).toEqual(['batch*sequence', 12]);
  });

  it('gives positions as long as the sequence', () => {
    const shape = inferred((builder, x) => {
      const length = builder.op('Squeeze', [sizeAt(builder, x, 1), builder.ints([0])]);
      const positions = builder.op('Range', [builder.scalar('int64', 0), length, builder.scalar('int64', 1)]);
      return builder.op('Unsqueeze', [builder.op('Cast', [positions], { to: 7 }), builder.ints([0])]);
    });
    expect(shape).toEqual([1, 'sequence']);
  });

  it('slices a table of positions to the length of the sequence', () => {
    const shape = inferred((builder, x) => {
      const table = builder.input('table', 'float32', [128, 12]);
      const end = sizeAt(builder, x, 1);
      return builder.op('Slice', [table, builder.ints([0]), end, builder.ints([0])]);
    });
    expect(shape).toEqual(['sequence', 12]);
  });

  it('knows that a size is not -1, as exported expansions ask', () => {
    const shape = inferred((builder, x) => {
      const wanted = builder.op('Slice', [builder.op('Shape', [x]), builder.ints([0]), builder.ints([2])]);
      const ones = builder.op('ConstantOfShape', [builder.ints([2])]);
      const long = builder.op('Cast', [ones], { to: 7 });
      const open = builder.op('Equal', [wanted, builder.ints([-1, -1])]);
      const mask = builder.input('mask', 'bool', [1, symbol('sequence')]);
      return builder.op('Expand', [
        mask,
        builder.op('Where', [open, builder.ints([1, 1]), builder.op('Where', [open, long, wanted])]),
      ]);
    });
    expect(shape).toEqual(['batch', 'sequence']);
  });

  it('says which shapes do not fit', () => {
    expect(() => inferred((builder, x) => builder.op('Equal', [x, builder.input('y', 'float32', [5])]))).toThrow(
      "Equal 'Equal_0': shapes [batch, sequence, 12] and [5] do not broadcast along axis 2",
    );
    expect(() =>
      inferred((builder) => builder.op('Reshape', [builder.ints([1, 2, 3]), builder.ints([2, -1])])),
    ).toThrow('[3] does not divide into [2, -1]');
  });
});
