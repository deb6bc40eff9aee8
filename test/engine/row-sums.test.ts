import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import type { Feeds, HostTensor, Program } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { addRows } from '../../engine/gradients.ts';
import { emitRowSums, rowFeeds } from '../../engine/optimizer/row-sums.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import { elementCount } from '../../graph/tensor.ts';

/** Sums of a few hundred numbers of size 1, in two orders. */
const ROUNDED = 1e-4;

const normals = (length: number, purpose: string): Float32Array<ArrayBuffer> => {
  const random = stream(1, purpose);
  return Float32Array.from({ length }, () => random.normal());
};

const tensor = (dims: readonly number[], data: Float32Array): HostTensor => ({ dtype: 'float32', dims, data });

/** A program that makes the gradient of a table of rows that were looked up in so many places. */
const summing = async (dims: readonly number[], lookups = 1) => {
  const builder = new GraphBuilder('rows');
  const rest = dims.slice(1);
  const rows = Array.from({ length: lookups }, (_, i) =>
    builder.input(`rows${i}`, 'float32', [symbol(`batch${i}`), symbol(`length${i}`), ...rest]),
  );
  const { gradient, inputs } = emitRowSums(builder, rows[0] ?? builder.ints([]), dims, rows);
  expect(builder.type(gradient)).toEqual({ dtype: 'float32', shape: dims });
  const program = await cpuEngine.compile(builder.freeze([gradient]), { threads: 1 });
  return { program, inputs };
};

const only = async (program: Program, feeds: Feeds): Promise<Float32Array> => {
  const [data] = Object.values(await program.run(feeds)).map((one) => one.data);
  if (!(data instanceof Float32Array)) throw new Error('expected float32');
  return data;
};

const expectSame = (found: Float32Array, expected: Float32Array): void => {
  expect(found.length).toBe(expected.length);
  found.forEach((x, i) => {
    expect(Math.abs(x - (expected[i] ?? Number.NaN))).toBeLessThan(ROUNDED);
  });
};

const onHost = (dims: readonly number[], ids: readonly number[], rows: Float32Array): Float32Array => {
  const table = new Float32Array(elementCount(dims));
  addRows(table, elementCount(dims.slice(1)), BigInt64Array.from(ids, BigInt), rows);
  return table;
};

describe('rows of a table that is looked up', () => {
  it('add up to what the host adds up, however often an id repeats', async () => {
    const dims = [17, 3];
    const { program, inputs } = await summing(dims);
    const ids = fc.oneof(
      fc.array(fc.integer({ min: -17, max: 16 }), { minLength: 1, maxLength: 80 }),
      fc.array(fc.integer({ min: 4, max: 5 }), { minLength: 1, maxLength: 300 }),
    );
    await fc.assert(
      fc.asyncProperty(ids, async (looked) => {
        const rows = normals(looked.length * 3, 'rows');
        const feeds = rowFeeds(inputs, Int32Array.from(looked), 17);
        const found = await only(program, { rows0: tensor([1, looked.length, 3], rows), ...feeds });
        expectSame(found, onHost(dims, looked, rows));
      }),
      { numRuns: 60 },
    );
    await program.release();
  });

  it('of two places and of any rank are added together', async () => {
    const dims = [5, 2, 2];
    const { program, inputs } = await summing(dims, 2);
    const [first, second] = [
      [0, 3, 3, 1],
      [3, 4],
    ] as const;
    const [a, b] = [normals(16, 'a'), normals(8, 'b')];
    const feeds = rowFeeds(inputs, Int32Array.of(...first, ...second), 5);
    const given = { rows0: tensor([2, 2, 2, 2], a), rows1: tensor([1, 2, 2, 2], b) };
    const found = await only(program, { ...given, ...feeds });
    expectSame(found, onHost(dims, [...first, ...second], Float32Array.of(...a, ...b)));
    await program.release();
  });

  it('that no id names are exactly zero', async () => {
    const { program, inputs } = await summing([6, 2]);
    const feeds = { ...rowFeeds(inputs, Int32Array.of(1, 1, 4), 6), rows0: tensor([1, 3, 2], normals(6, 'zero')) };
    const found = await only(program, feeds);
    expect([0, 2, 3, 5].flatMap((row) => [...found.subarray(2 * row, 2 * row + 2)])).toEqual(new Array(8).fill(0));
    await program.release();
  });

  it('are fed as a few integers an id, however uneven they repeat', () => {
    const random = stream(2, 'zipf');
    const ids = Int32Array.from({ length: 4096 }, () => Math.floor(8000 ** random.uniform()) - 1);
    const { inputs } = emitRowSums(new GraphBuilder('rows'), new GraphBuilder('rows').ints([]), [8000, 1], []);
    const fed = Object.values(rowFeeds(inputs, ids, 8000)).reduce((sum, { data }) => sum + data.length, 0);
    expect(fed).toBeLessThan(8000 + 3 * ids.length);
  });
});
