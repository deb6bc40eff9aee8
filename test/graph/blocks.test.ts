import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import { storedAs } from '../../graph/quantize/convert.ts';
import type { Format } from '../../graph/quantize/format.ts';
import { formats } from '../../graph/quantize/formats/index.ts';
import { blocksOf, type Grid, type Rows, rowsOf, widened } from '../../graph/quantize/grid.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { nearest } from '../../graph/quantize/nearest.ts';
import { packedOf } from '../../graph/quantize/pack.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { precisionOf } from '../../models/precision-of.ts';
import { feedsFor, outputsOf } from './rewrite-run.ts';

const numbers = (count: number, seed: number): Float32Array<ArrayBuffer> => {
  const random = stream(seed, 'blocks');
  return Float32Array.from({ length: count }, () => random.normal());
};

const rowsFrom = (rows: number, width: number, seed = 1): Rows => ({ rows, width, data: numbers(rows * width, seed) });

const grids = fc.record({
  bits: fc.constantFrom(2 as const, 4 as const, 8 as const),
  block: fc.constantFrom(16, 32, 64),
  zeroPoint: fc.boolean(),
});

describe('a matrix in blocks', () => {
  it('errs by no more than half a step where nothing is clipped', () => {
    fc.assert(
      fc.property(grids, fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 9 }), (grid, width, count) => {
        const rows = rowsFrom(count, width);
        const rounded = nearest(rows, grid, { search: false });
        const near = widened(rows, grid, rounded);
        for (const [i, x] of rows.data.entries()) {
          const row = Math.floor(i / width);
          const block = row * blocksOf(width, grid) + Math.floor((i % width) / grid.block);
          const step = Math.abs(rounded.scales[block] ?? 0);
          // Without zero points the side that is less far has one whole number fewer; zero points are whole, too.
          expect(Math.abs(x - (near[i] ?? Number.NaN))).toBeLessThanOrEqual(step * 1.001);
        }
      }),
    );
  });

  it('errs less by a searched range than by the whole one', () => {
    const rows = rowsFrom(40, 64);
    const grid: Grid = { bits: 4, block: 32, zeroPoint: false };
    const errorOf = (search: boolean): number => {
      const near = widened(rows, grid, nearest(rows, grid, { search }));
      return rows.data.reduce((sum, x, i) => sum + (x - (near[i] ?? 0)) ** 2, 0);
    };
    expect(errorOf(true)).toBeLessThan(0.97 * errorOf(false));
  });

  it('gives back its whole numbers from the bytes of a file, the lowest bits first', () => {
    fc.assert(
      fc.property(grids, fc.integer({ min: 1, max: 70 }), (grid, width) => {
        const rows = rowsFrom(3, width);
        const rounded = nearest(rows, grid, { search: false });
        const { codes } = packedOf(rows, grid, rounded, 'product');
        const bytes = codes.bytes.read();
        const perByte = 8 / grid.bits;
        const stride = (blocksOf(width, grid) * grid.block) / perByte;
        for (let i = 0; i < rows.data.length; i++) {
          const place = i % width;
          const byte = bytes[Math.floor(i / width) * stride + Math.floor(place / perByte)] ?? 0;
          expect((byte >> ((place % perByte) * grid.bits)) & (2 ** grid.bits - 1)).toBe(rounded.codes[i]);
        }
      }),
    );
  });
});

/** y = gelu(rows[ids] W + b) V, wide enough for every format. */
const network = (): Graph => {
  const builder = new GraphBuilder('network');
  const ids = builder.input('ids', 'int64', [symbol('batch'), symbol('sequence')]);
  const weight = (name: string, seed: number, ...dims: readonly number[]): Value =>
    builder.weight(
      name,
      tensorOf(
        'float32',
        dims,
        numbers(
          dims.reduce((a, b) => a * b, 1),
          seed,
        ),
      ),
    );
  const table = weight('table', 1, 1024, 80);
  const rows = builder.op('Gather', [table, ids]);
  const inner = builder.op('MatMul', [rows, weight('w', 2, 80, 96)]);
  const active = builder.op('Tanh', [builder.op('Add', [inner, weight('b', 3, 96)])]);
  return builder.freeze([builder.op('MatMul', [active, weight('v', 4, 96, 64)], {}, 'y')]);
};

/** A graph whose matrices are the numbers that a format's blocks stand for. */
const emulated = (graph: Graph, grid: Grid): Graph => {
  const weights = new Map(graph.weights);
  for (const [name, tensor] of graph.weights) {
    if (tensor.dims.length !== 2) continue;
    const isTable = name === 'table';
    const rows = rowsOf(tensor, isTable ? 'as it is' : 'turned');
    const near = widened(rows, grid, nearest(rows, grid, { search: true }));
    const [first = 0, second = 0] = tensor.dims;
    const back = isTable
      ? Float32Array.from(near)
      : Float32Array.from(
          { length: first * second },
          (_, i) => near[(i % second) * first + Math.floor(i / second)] ?? 0,
        );
    weights.set(name, tensorOf('float32', tensor.dims, back));
  }
  return { ...graph, weights };
};

const apart = (a: readonly Float32Array[], b: readonly Float32Array[]): number => {
  const [x = new Float32Array(), y = new Float32Array()] = [a[0], b[0]];
  const size = Math.max(...x.map(Math.abs));
  return Math.max(...x.map((one, i) => Math.abs(one - (y[i] ?? Number.NaN)))) / size;
};

describe('a graph in blocks of four bits', () => {
  const q4 = formats.find(({ name }) => name === 'q4') as Format;

  it.each([
    { block: 16, zeroPoint: true },
    { block: 16, zeroPoint: false },
    { block: 32, zeroPoint: true },
    { block: 64, zeroPoint: false },
  ])('computes what its rounded weights compute: %o', async ({ block, zeroPoint }) => {
    const graph = network();
    const { graph: quantized, report } = quantizeWeights(graph, { format: q4, block, zeroPoint });
    expect(report.weights.map(({ storage }) => storage)).toEqual(['int4', 'int4', 'float32', 'int4']);
    const feeds = feedsFor(graph, { batch: 2, sequence: 5 }, { seed: 4, vocabulary: 1024 });
    const expected = await outputsOf(emulated(graph, { bits: 4, block, zeroPoint }), feeds);
    expect(apart(expected, await outputsOf(quantized, feeds))).toBeLessThan(1e-5);
  });

  it('keeps a matrix with fewer inputs than a block, and says so', () => {
    const { report } = quantizeWeights(network(), { format: q4, block: 128 });
    expect(report.weights.find(({ name }) => name === 'w')?.reason).toBe(
      'its 80 numbers in a row are fewer than a block of 128',
    );
  });

  it('refuses numbers that are none, with the weight and its place', () => {
    const graph = network();
    const weights = new Map(graph.weights);
    const [name, tensor] = [...weights].find(([own]) => own === 'w') ?? [];
    if (name === undefined || tensor === undefined) throw new Error('the network has a matrix');
    const data = numbers(80 * 96, 2);
    data[96 + 5] = Number.NaN;
    weights.set(name, tensorOf('float32', tensor.dims, data));
    expect(() => quantizeWeights({ ...graph, weights }, { format: q4 })).toThrow(
      "the weight 'w' holds NaN or infinity in column 5",
    );
  });
});

/** y = gelu(rows[ids] W) rows', scores of what was looked up: both read one table. */
const tied = (width: number): Graph => {
  const builder = new GraphBuilder('tied');
  const ids = builder.input('ids', 'int64', [symbol('batch'), symbol('sequence')]);
  const table = builder.weight('table', tensorOf('float32', [1024, width], numbers(1024 * width, 5)));
  const rows = builder.op('Gather', [table, ids]);
  const w = builder.weight('w', tensorOf('float32', [width, width], numbers(width * width, 6)));
  const active = builder.op('Tanh', [builder.op('MatMul', [rows, w])]);
  const turned = builder.op('Transpose', [table], { perm: [1, 0] });
  return builder.freeze([builder.op('MatMul', [active, turned], {}, 'y')]);
};

describe('blocks beside float16', () => {
  it('are multiplied in float32 where a weight is beyond 65,504', async () => {
    const graph = network();
    const weights = new Map(graph.weights);
    const times = (name: string, dims: readonly number[], seed: number, factor: number): void => {
      const data = numbers(
        dims.reduce((a, b) => a * b, 1),
        seed,
      ).map((x) => x * factor);
      weights.set(value(name), tensorOf('float32', dims, data));
    };
    times('w', [80, 96], 2, 1e5);
    const [format, same] = ['q4f16', 'q4'].map((name) => formats.find((one) => one.name === name) as Format);
    if (format === undefined || same === undefined) throw new Error('both formats are there');
    const far = { ...graph, weights };
    const feeds = feedsFor(graph, { batch: 2, sequence: 5 }, { seed: 4, vocabulary: 1024 });
    const [y = new Float32Array()] = await outputsOf(storedAs(far, { format }).graph, feeds);
    const [expected = new Float32Array()] = await outputsOf(storedAs(far, { format: same }).graph, feeds);
    expect(y.every(Number.isFinite)).toBe(true);
    expect(apart([expected], [y])).toBeLessThan(0.05);
  });
});

describe('a table that scores tokens, too', () => {
  const formatsOfBlocks = formats.filter(({ tables }) => tables.kind === 'blocks' && tables.bits === 4);

  it.each(formatsOfBlocks)('is stored once in $name, and both uses read that', async (format) => {
    const graph = tied(64);
    const { graph: quantized, choices } = quantizeWeights(graph, { format: { ...format, floats: 'float32' } });
    expect(choices.get(value('table'))).toMatchObject({ form: 'blocks', use: 'both' });
    const { bytes = undefined } = quantized.weights.get(value('table_blocks')) ?? {};
    expect(bytes?.length).toBe((1024 * 64) / 2);
    const others = [...quantized.weights].filter(([name]) => !name.startsWith('table_') && !name.startsWith('w_'));
    expect(others.every(([, tensor]) => tensor.bytes.length < 100)).toBe(true);
  });

  it('computes what its rounded weights compute', async () => {
    const graph = tied(64);
    const q4 = formats.find(({ name }) => name === 'q4') as Format;
    const { graph: quantized } = quantizeWeights(graph, { format: q4 });
    const feeds = feedsFor(graph, { batch: 2, sequence: 5 }, { seed: 4, vocabulary: 1024 });
    const expected = await outputsOf(emulated(graph, { bits: 4, block: 32, zeroPoint: true }), feeds);
    expect(apart(expected, await outputsOf(quantized, feeds))).toBeLessThan(1e-5);
  });

  it('stands in 8 bits where rows fill no whole blocks: a product is filled up, and rows that are looked up are not', () => {
    const q4 = formats.find(({ name }) => name === 'q4') as Format;
    const { choices } = quantizeWeights(tied(80), { format: q4 });
    expect(choices.get(value('table'))).toEqual({ form: 'stored' });
  });
});

describe('every format of integers', () => {
  it.each(formats.filter(({ floats }) => floats === 'float32'))('$name is recognised by what it stores', (format) => {
    const graph = network();
    const ranges = new Map(graph.nodes.flatMap(({ outputs }) => outputs.map((one) => [one, { low: -4, high: 4 }])));
    expect(precisionOf(quantizeWeights(graph, { format, ranges }).graph)).toBe(format.dtype);
  });

  it('gives the same products in bytes with and without a sign', async () => {
    const graph = network();
    const feeds = feedsFor(graph, { batch: 2, sequence: 5 }, { seed: 4, vocabulary: 1024 });
    const [signed, unsigned] = ['int8', 'uint8'].map((name) => formats.find((one) => one.name === name) as Format);
    const [a, b] = [signed, unsigned].map(
      (format) => quantizeWeights(graph, format === undefined ? {} : { format }).graph,
    );
    if (a === undefined || b === undefined) throw new Error('both formats are there');
    expect(apart(await outputsOf(a, feeds), await outputsOf(b, feeds))).toBeLessThan(1e-6);
  });
});
