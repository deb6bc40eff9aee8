import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import type { Feeds, HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { readGraph } from '../../graph/codec/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { bindInput, choosingInputs, normalized } from '../../graph/normalize/index.ts';
import { bytesOf, elementCount } from '../../graph/tensor.ts';

/** Sums in another order, through all layers of a model. */
const tolerance = 1e-4;

const folder = join(import.meta.dirname, '../golden/exports');
const known = join(folder, 'known');
const filesIn = (place: string): readonly string[] =>
  existsSync(place) ? readdirSync(place).flatMap((file) => (file.endsWith('.onnx') ? [file.slice(0, -5)] : [])) : [];

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
  it.each(filesIn(folder))('gives what its file gives once it is normalised: %s', async (name) => {
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

type Stored = { readonly dims: readonly number[] } & (
  | { readonly int64: readonly number[] }
  | { readonly bool: readonly boolean[] }
  | { readonly float32: string }
);

interface Truth {
  readonly tolerance: number;
  readonly onnxruntime: { readonly refused?: string };
  readonly samples: readonly { readonly inputs: Readonly<Record<string, Stored>>; readonly output: Stored }[];
}

const floatsOf = (stored: Stored): Float32Array => {
  if (!('float32' in stored)) throw new Error('no floats');
  return new Float32Array(Uint8Array.from(Buffer.from(stored.float32, 'base64')).buffer);
};

/** A stored tensor in the type that a graph takes. */
const fed = (stored: Stored, dtype: string | undefined): HostTensor => {
  const { dims } = stored;
  if ('float32' in stored) return { dtype: 'float32', dims, data: floatsOf(stored) };
  const numbers = 'int64' in stored ? stored.int64 : stored.bool.map(Number);
  if (dtype === 'int32') return { dtype, dims, data: Int32Array.from(numbers) };
  if (dtype === 'bool') return { dtype, dims, data: Uint8Array.from(numbers) };
  if (dtype === 'float32') return { dtype, dims, data: Float32Array.from(numbers) };
  return { dtype: 'int64', dims, data: BigInt64Array.from(numbers, BigInt) };
};

/** The graph with the flags of a sample fixed, if it has any. */
const withFlags = (graph: Graph, inputs: Readonly<Record<string, Stored>>): Graph =>
  choosingInputs(graph).reduce((bound, name) => {
    const { dtype, dims, data } = fed(inputs[name] ?? { dims: [1], int64: [0] }, 'bool');
    return bindInput(bound, name, { dtype, dims, bytes: bytesOf(data) });
  }, graph);

describe('an export whose answers are known', () => {
  it.each(filesIn(known))('answers as PyTorch does once it is normalised: %s', async (name) => {
    const truth: Truth = JSON.parse(readFileSync(join(known, `${name}.json`), 'utf8'));
    const graph = await readGraph(join(known, `${name}.onnx`));
    for (const { inputs, output } of truth.onnxruntime.refused === undefined ? truth.samples : []) {
      const normal = normalized(withFlags(graph, inputs));
      const feeds = Object.entries(inputs).map(([input, stored]) => {
        const type = [...normal.types].find(([value]) => value === input)?.[1];
        return [input, fed(stored, type?.dtype)] as const;
      });
      expectNear(
        await outputOf(normal, Object.fromEntries(feeds)),
        floatsOf(output),
        Math.max(tolerance, truth.tolerance),
      );
    }
  });
});
