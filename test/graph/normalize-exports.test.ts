import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import type { Feeds, HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { readGraph } from '../../graph/codec/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { normalized } from '../../graph/normalize/index.ts';
import { elementCount } from '../../graph/tensor.ts';

/** Sums in another order, through all layers of a model. */
const tolerance = 1e-4;

const folder = join(import.meta.dirname, '../golden/exports');
const names = readdirSync(folder).flatMap((file) => (file.endsWith('.onnx') ? [file.slice(0, -5)] : []));

const outputOf = async (graph: Graph, feeds: Feeds): Promise<Float32Array> => {
  const program = await cpuEngine.compile(graph, { threads: 1, optimization: 'basic' });
  try {
    const fed = Object.fromEntries(
      Object.entries(feeds).filter(([name]) => graph.inputs.some((input) => input === name)),
    );
    const found = (await program.run(fed))[graph.outputs[0] ?? '']?.data;
    if (!(found instanceof Float32Array)) throw new Error('the first output is not float32');
    return found;
  } finally {
    await program.release();
  }
};

const expectNear = (found: Float32Array, expected: Float32Array, limit: number): void => {
  expect(found.length).toBe(expected.length);
  const gap = expected.reduce((worst, x, i) => Math.max(worst, Math.abs(x - (found[i] ?? Number.NaN))), 0);
  expect(gap).toBeLessThanOrEqual(limit);
};

/** Ids and masks of zeros and ones, every row beginning with a one; pixels are normal. Axes have sizes by their place. */
const feedsFor = (graph: Graph, sizes: readonly number[]): Feeds =>
  Object.fromEntries(
    graph.inputs.map((name): [string, HostTensor] => {
      const { dtype, shape = [] } = graph.types.get(name) ?? { dtype: 'float32' };
      const dims = shape.map((dim, axis) => (typeof dim === 'number' ? dim : (sizes[axis] ?? 1)));
      const random = stream(1, name);
      const length = elementCount(dims);
      if (dtype === 'float32')
        return [name, { dtype, dims, data: Float32Array.from({ length }, () => random.normal()) }];
      const width = dims.at(-1) ?? 1;
      const data = BigInt64Array.from({ length }, (_, i) => BigInt(i % width === 0 ? 1 : random.integer(2)));
      return [name, { dtype: 'int64', dims, data }];
    }),
  );

describe('an export', () => {
  it.each(names)('gives what its file gives once it is normalised: %s', async (name) => {
    const graph = await readGraph(join(folder, `${name}.onnx`));
    const normal = normalized(graph);
    expect(normal.nodes.length).toBeLessThan(graph.nodes.length);
    expect(normalized(normal)).toBe(normal);
    for (const sizes of [
      [3, 5],
      [2, 7],
    ]) {
      const feeds = feedsFor(graph, sizes);
      expectNear(await outputOf(normal, feeds), await outputOf(graph, feeds), tolerance);
    }
  });
});
