import type { Encoded } from '../../../engine/encoded.ts';
import { inverseFactor } from '../../../engine/layerwise/factor.ts';
import { centred, type Gram, gramsOf, meansOf } from '../../../engine/layerwise/grams.ts';
import type { Watching } from '../../../engine/observe/index.ts';
import type { Graph, Value } from '../../../graph/graph.ts';
import { matrixOf, rowsOf } from '../../../graph/quantize/grid.ts';
import { sitesOfWeight } from '../../../graph/sites.ts';
import { float32Of, type Tensor, tensorOf } from '../../../graph/tensor.ts';
import { type Compensate, goneAt, type Reader } from './readers.ts';

/** Share of the mean square that is added to each: directions that few texts show stay as they are. */
const DAMPING = 0.01;

/** Rows of a matrix, one after the other. */
interface Rows {
  readonly data: Float64Array | Float32Array;
  readonly width: number;
}

/** Adds a multiple of a row to one of another matrix of the same width. */
const addRow = (sum: Rows, to: number, factor: number, { data, width }: Rows, from: number): void => {
  const [at, start] = [to * width, from * width];
  for (let o = 0; o < width; o++)
    sum.data[at + o] = (sum.data[at + o] as number) + factor * (data[start + o] as number);
};

const blank = (rows: number, width: number): Rows => ({ data: new Float64Array(rows * width), width });

/** U'U C for an upper triangular U of n x n. */
const solved = (u: Float64Array, c: Rows, n: number): Rows => {
  const half = blank(n, c.width);
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) addRow(half, i, u[i * n + j] as number, c, j);
  const all = blank(n, c.width);
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) addRow(all, j, u[i * n + j] as number, half, i);
  return all;
};

/** Indices of a gate that stay, and those that go. */
interface Split {
  readonly stay: readonly number[];
  readonly go: readonly number[];
}

const splitBy = (gone: Uint8Array): Split => {
  const indices = Array.from(gone.keys());
  return { stay: indices.filter((i) => gone[i] === 0), go: indices.filter((i) => gone[i] === 1) };
};

/** What rows that stay take over: (G_KK + damping)^-1 G_KR W_R, a row each; undefined where texts show nothing. */
const takenOver = (gram: Float64Array, size: number, matrix: Rows, { stay, go }: Split): Rows | undefined => {
  const n = stay.length;
  let trace = 0;
  for (let i = 0; i < size; i++) trace += gram[i * size + i] as number;
  const own = new Float64Array(n * n);
  const crossed = blank(n, matrix.width);
  for (const [i, row] of stay.entries()) {
    for (const [j, column] of stay.entries()) own[i * n + j] = gram[row * size + column] as number;
    own[i * n + i] = (own[i * n + i] as number) + (DAMPING * trace) / size;
    for (const column of go) addRow(crossed, i, gram[row * size + column] as number, matrix, column);
  }
  const factor = inverseFactor(own, n);
  return factor === undefined ? undefined : solved(factor, crossed, n);
};

/** The matrix, and the bias behind it where that is its own. */
interface Refitted {
  readonly matrix: Tensor;
  readonly bias?: Tensor;
}

const refitted = (matrix: Tensor, bias: Tensor | undefined, { turned }: Reader, gram: Gram, split: Split): Refitted => {
  const size = gram.width;
  // (in, out), whichever way the matrix is kept.
  const layout = turned ? 'turned' : 'as it is';
  const { data } = rowsOf(matrix, layout);
  const rows: Rows = { data, width: data.length / size };
  const added = takenOver(bias === undefined ? gram.products : centred(gram), size, rows, split);
  const mean = meansOf(gram);
  const sum: Rows = { data: Float64Array.from(bias === undefined ? [] : float32Of(bias)), width: rows.width };
  if (bias !== undefined) for (const i of split.go) addRow(sum, 0, mean[i] as number, rows, i);
  if (added !== undefined) {
    for (const [k, i] of split.stay.entries()) {
      addRow(rows, i, 1, added, k);
      if (bias !== undefined) addRow(sum, 0, -(mean[i] as number), added, k);
    }
  }
  return {
    matrix: matrixOf(data, matrix.dims, layout),
    ...(bias === undefined ? {} : { bias: tensorOf('float32', bias.dims, Float32Array.from(sum.data)) }),
  };
};

/**
 * Whether a matrix is read in one place, and the bias behind it, if any, added in one. Widths of the stream are not refitted:
 * the norms in front of their readers change what stays of them, so that it is no longer what texts showed.
 */
export const isRefittable = (graph: Graph, { part, matrix, bias }: Reader): boolean =>
  (part.kind === 'heads' || part.kind === 'ffn') &&
  sitesOfWeight(graph, matrix).length === 1 &&
  (bias === undefined || sitesOfWeight(graph, bias).length === 1);

const refit = (
  graph: Graph,
  readers: readonly (readonly [Reader, Uint8Array])[],
  grams: ReadonlyMap<Value, Gram>,
): Graph => {
  const weights = new Map(graph.weights);
  for (const [reader, gone] of readers) {
    const [gram, matrix] = [grams.get(reader.gate.value), weights.get(reader.matrix)];
    if (gram === undefined || matrix === undefined || !gone.includes(1)) continue;
    const before = reader.bias === undefined ? undefined : weights.get(reader.bias);
    const after = refitted(matrix, before, reader, gram, splitBy(gone));
    weights.set(reader.matrix, after.matrix);
    if (reader.bias !== undefined && after.bias !== undefined) weights.set(reader.bias, after.bias);
  }
  return { ...graph, weights };
};

/** Texts that products are seen on. */
export interface Reading extends Watching {
  readonly examples: readonly Encoded[];
  onText(done: number, total: number): void;
}

/**
 * Refits the matrices that read what units put out, so that what stays makes up for what goes:
 * W'_K = W_K + (G_KK + damping)^-1 G_KR W_R with G the products of activations about their mean over texts, the rest of the
 * mean going into the bias (He et al. 2017, 1707.06168, whose least squares are solved in closed form).
 */
export const leastSquares = async (reading: Reading, readers: readonly Reader[]): Promise<Compensate> => {
  const values = [...new Set(readers.map(({ gate }) => gate.value))];
  const grams = values.length === 0 ? new Map() : await gramsOf(reading, values, reading.examples, reading.onText);
  return (graph, chosen) =>
    refit(
      graph,
      readers.flatMap((reader) => {
        const kept = chosen.get(reader.part);
        return kept === undefined ? [] : [[reader, goneAt(reader.gate, kept)] as const];
      }),
      grams,
    );
};
