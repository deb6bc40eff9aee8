import type { HostTensor, Program } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { type Dim, symbol } from '../../graph/dim.ts';
import { float32Of, type Tensor, tensorOf } from '../../graph/tensor.ts';
import type { Factors } from '../../models/anatomy/factors.ts';
import { symmetricEigen } from './eigen.ts';

const FLOAT = 1;
const DOUBLE = 11;
/** Rows of the table that are converted to float64 together. */
const PIECE = 4096;

const [ROWS, WEIGHTS, BASIS, RESULT] = ['rows', 'weights', 'basis', 'result'] as const;

const rowCount: Dim = symbol('rows');

/** Sum over the rows of w e^T e, in float64: (width, width). */
const gramGraph = (width: number) => {
  const builder = new GraphBuilder('gram');
  const rows = builder.op('Cast', [builder.input(ROWS, 'float32', [rowCount, width])], { to: DOUBLE });
  const weighted = builder.op('Mul', [rows, builder.input(WEIGHTS, 'float64', [rowCount, 1])]);
  const turned = builder.op('Transpose', [weighted], { perm: [1, 0] });
  return builder.freeze([builder.op('MatMul', [turned, rows], {}, RESULT)]);
};

/** Rows times a basis, in float64: (rows, rank). */
const projectionGraph = (width: number, rank: number) => {
  const builder = new GraphBuilder('projection');
  const rows = builder.op('Cast', [builder.input(ROWS, 'float32', [rowCount, width])], { to: DOUBLE });
  const product = builder.op('MatMul', [rows, builder.input(BASIS, 'float64', [width, rank])]);
  return builder.freeze([builder.op('Cast', [product], { to: FLOAT }, RESULT)]);
};

interface Piece {
  readonly first: number;
  readonly rows: HostTensor;
}

const pieces = function* (table: Float32Array, width: number): Generator<Piece> {
  const height = table.length / width;
  for (let first = 0; first < height; first += PIECE) {
    const count = Math.min(PIECE, height - first);
    const data = table.subarray(first * width, (first + count) * width);
    yield { first, rows: { dtype: 'float32', dims: [count, width], data } };
  }
};

const resultOf = (outputs: Readonly<Record<string, HostTensor>>): Float32Array | Float64Array => {
  const data = outputs[RESULT]?.data;
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  throw new Error(`the product is ${outputs[RESULT]?.dtype ?? 'missing'}, expected floats`);
};

const withProgram = async <T>(
  graph: ReturnType<GraphBuilder['freeze']>,
  threads: number,
  use: (program: Program) => Promise<T>,
): Promise<T> => {
  const program = await cpuEngine.compile(graph, { threads, memory: 'pooled' });
  try {
    return await use(program);
  } finally {
    await program.release();
  }
};

const gramOf = (table: Float32Array, width: number, weights: Float64Array, threads: number): Promise<Float64Array> =>
  withProgram(gramGraph(width), threads, async (program) => {
    const sum = new Float64Array(width * width);
    for (const { first, rows } of pieces(table, width)) {
      const count = rows.dims[0] ?? 0;
      const own: HostTensor = { dtype: 'float64', dims: [count, 1], data: weights.slice(first, first + count) };
      const part = resultOf(await program.run({ [ROWS]: rows, [WEIGHTS]: own }));
      part.forEach((x, i) => {
        sum[i] = (sum[i] as number) + x;
      });
    }
    return sum;
  });

const projected = (
  table: Float32Array,
  [width, rank]: readonly [number, number],
  basis: Float64Array,
  threads: number,
): Promise<Float32Array<ArrayBuffer>> =>
  withProgram(projectionGraph(width, rank), threads, async (program) => {
    const result = new Float32Array((table.length / width) * rank);
    const fed: HostTensor = { dtype: 'float64', dims: [width, rank], data: basis };
    for (const { first, rows } of pieces(table, width)) {
      result.set(resultOf(await program.run({ [ROWS]: rows, [BASIS]: fed })), first * rank);
    }
    return result;
  });

const transposed = (matrix: Float64Array, rows: number, columns: number): Float64Array =>
  Float64Array.from({ length: rows * columns }, (_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)] ?? 0);

export interface Factorisation extends Factors {
  /** Share of the table's (weighted) sum of squares that the factors hold. */
  readonly energy: number;
}

/**
 * The best two factors of a table E (rows, width) in the least squares: with the eigenvectors V of E^T E that have the
 * `rank` largest eigenvalues, A = E V and B = V^T, so that A B is the truncated singular value decomposition of E (Eckart
 * and Young 1936). `weights` says how much each row matters: E^T W E instead (a row's own best A stays E V).
 */
export const factorise = async (
  table: Tensor,
  rank: number,
  { weights, threads }: { readonly weights: Float64Array; readonly threads: number },
): Promise<Factorisation> => {
  const [height = 0, width = 0] = table.dims;
  const data = float32Of(table);
  const { values, vectors } = symmetricEigen(await gramOf(data, width, weights, threads), width);
  const basis = vectors.subarray(0, rank * width);
  const rows = await projected(data, [width, rank], transposed(basis, rank, width), threads);
  const sum = (some: Float64Array): number => some.reduce((total, x) => total + Math.max(0, x), 0);
  return {
    rows: tensorOf('float32', [height, rank], rows),
    projection: tensorOf('float32', [rank, width], Float32Array.from(basis)),
    energy: sum(values) === 0 ? 1 : sum(values.subarray(0, rank)) / sum(values),
  };
};
