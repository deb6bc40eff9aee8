import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stream } from '../../data/random.ts';
import { writeGraph } from '../../graph/codec/index.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { arrayOf, elementCount, float32Of, type Tensor, tensorOf } from '../../graph/tensor.ts';
import type { ZeroSavings } from '../../ground/reported/evaluation.ts';
import { temporaryFolder } from '../../ground/temporary.ts';
import { bytesAfter, gzip, zstd } from './compress.ts';

/** Below this share of a matrix nobody made zeros on purpose: rounding to 8 bits makes some by itself. */
const MANY = 0.3;

/** A matrix many of whose numbers are nothing, and how many. */
interface Sparse {
  readonly name: Value;
  readonly tensor: Tensor;
  readonly zeros: number;
}

const sparseMatrices = ({ weights }: Graph): readonly Sparse[] =>
  [...weights].flatMap(([name, tensor]) => {
    if (tensor.dims.length < 2 || (tensor.dtype !== 'float32' && tensor.dtype !== 'int8')) return [];
    let zeros = 0;
    for (const element of arrayOf(tensor)) zeros += Number(Number(element) === 0);
    return zeros > MANY * elementCount(tensor.dims) ? [{ name, tensor, zeros }] : [];
  });

/** The other numbers of a tensor, drawn for each of its zeros; floats are changed a little, or they would compress as repetitions. */
const filled = ({ name, tensor }: Sparse): Tensor => {
  const random = stream(0, 'zeros', name);
  const drawn = (all: ArrayLike<number>): (() => number) => {
    const others = Array.from(all).filter((one) => one !== 0);
    return () => others[random.integer(Math.max(1, others.length))] ?? 1;
  };
  if (tensor.dtype === 'int8') {
    const all = Int8Array.from(arrayOf(tensor), Number);
    const next = drawn(all);
    return tensorOf(
      'int8',
      tensor.dims,
      all.map((one) => (one === 0 ? next() : one)),
    );
  }
  const all = float32Of(tensor);
  const next = drawn(all);
  return tensorOf(
    'float32',
    tensor.dims,
    Float32Array.from(all, (one) => (one === 0 ? next() * (0.5 + random.uniform()) : one)),
  );
};

/** What files take after compression, where gzip has told already of theirs. */
const packed = async (files: readonly string[], gzipBytes?: number) => ({
  gzipBytes: gzipBytes ?? (await bytesAfter(files, gzip)),
  ...(zstd === undefined ? {} : { zstdBytes: await bytesAfter(files, zstd) }),
});

/** What a graph takes after compression. */
const compressed = async (graph: Graph) => {
  const folder = await temporaryFolder('graph');
  try {
    await writeGraph(join(folder, 'model.onnx'), graph);
    return await packed((await readdir(folder)).toSorted().map((file) => join(folder, file)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** The files that a graph lies in, and what they take after gzip. */
interface Stored {
  readonly files: readonly string[];
  readonly gzipBytes: number;
}

/**
 * What zeros save of a file that is compressed, beside the same file with other numbers in their place; undefined where no matrix
 * has many. In the file itself they take as much room as others.
 */
export const zeroSavings = async (graph: Graph, { files, gzipBytes }: Stored): Promise<ZeroSavings | undefined> => {
  const sparse = sparseMatrices(graph);
  if (sparse.length === 0) return undefined;
  const sum = (of: (one: Sparse) => number): number => sparse.reduce((all, one) => all + of(one), 0);
  const dense = { ...graph, weights: new Map(graph.weights) };
  for (const one of sparse) dense.weights.set(one.name, filled(one));
  return {
    share: sum(({ zeros }) => zeros) / sum(({ tensor }) => elementCount(tensor.dims)),
    matrices: sparse.length,
    ...(await packed(files, gzipBytes)),
    dense: await compressed(dense),
  };
};
