import { stream } from '../../data/random.ts';
import type { HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import type { Dim } from '../../graph/dim.ts';
import { bindDim } from '../../graph/dim.ts';
import type { Graph } from '../../graph/graph.ts';
import { elementCount } from '../../graph/tensor.ts';

/** A mask of ones with zeros at the end of some rows, never a whole row. */
const maskFeed = (dims: readonly number[], seed: number): HostTensor => {
  const [batch = 1, length = 1] = dims;
  const random = stream(seed, 'mask');
  const data = new BigInt64Array(batch * length).fill(1n);
  for (let row = 0; row < batch; row++) {
    const kept = row === 0 ? length : 1 + random.integer(length);
    data.fill(0n, row * length + kept, (row + 1) * length);
  }
  return { dtype: 'int64', dims, data };
};

/** Seeded inputs for a graph whose symbols are bound to numbers: token ids below `vocabulary`, masks with padding. */
export const feedsFor = (
  graph: Graph,
  symbols: Readonly<Record<string, Dim>>,
  options: { readonly seed: number; readonly vocabulary?: number },
): Readonly<Record<string, HostTensor>> => {
  const feeds: Record<string, HostTensor> = {};
  for (const name of graph.inputs) {
    const type = graph.types.get(name);
    const dims = (type?.shape ?? []).map((dim) => Number(bindDim(dim, symbols)));
    const random = stream(options.seed, name);
    const count = elementCount(dims);
    if (type?.dtype === 'float32') {
      feeds[name] = { dtype: 'float32', dims, data: Float32Array.from({ length: count }, () => random.normal()) };
    } else if (name.includes('mask')) feeds[name] = maskFeed(dims, options.seed);
    else {
      const data = BigInt64Array.from({ length: count }, () => BigInt(random.integer(options.vocabulary ?? 10)));
      feeds[name] = { dtype: 'int64', dims, data };
    }
  }
  return feeds;
};

type Feeds = Readonly<Record<string, HostTensor>>;

/** Outputs of one session for several batches, one after another, as flat float arrays, on one thread. */
export const outputsOfEach = async (
  graph: Graph,
  batches: readonly Feeds[],
): Promise<readonly (readonly Float32Array[])[]> => {
  const program = await cpuEngine.compile(graph, { threads: 1 });
  try {
    const found: Float32Array[][] = [];
    for (const feeds of batches) {
      const results = await program.run(feeds);
      found.push(
        graph.outputs.map((name) => {
          const data = results[name]?.data;
          if (!(data instanceof Float32Array)) throw new Error(`'${name}' is no float32 output`);
          return Float32Array.from(data);
        }),
      );
    }
    return found;
  } finally {
    await program.release();
  }
};

/** Outputs of a graph as flat float arrays, on one thread. */
export const outputsOf = async (graph: Graph, feeds: Feeds): Promise<readonly Float32Array[]> =>
  (await outputsOfEach(graph, [feeds])).flat();

/** The largest difference between two sets of outputs, relative to the largest value. */
export const difference = (a: readonly Float32Array[], b: readonly Float32Array[]): number => {
  let worst = 0;
  a.forEach((left, i) => {
    const right = b[i];
    if (right?.length !== left.length) throw new Error(`output ${i} has ${right?.length} elements, not ${left.length}`);
    const largest = left.reduce((m, x) => Math.max(m, Math.abs(x)), 1);
    left.forEach((x, j) => {
      const gap = Math.abs(x - (right[j] ?? Number.NaN)) / largest;
      worst = Math.max(gap, worst);
    });
  });
  return worst;
};

/** How often each operator occurs, contrib operators with their domain. */
export const operatorsOf = (graph: Graph): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const node of graph.nodes) {
    const name = node.domain === '' ? node.op : `${node.domain}:${node.op}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
};
