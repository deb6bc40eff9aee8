import { refusal } from '../../ground/errors.ts';
import { type Dim, multiplyDims, productOf, type Shape } from '../dim.ts';
import type { Value } from '../graph.ts';
import type { Call, Emit, Gradient, Inferred, OpDef } from '../op.ts';
import type { Port } from './shared-cuts.ts';
import { moveAxis, squeeze, unsqueeze } from './shared-emit.ts';
import { floats, fromEnd, type Labels, labelCut, operand } from './shared-math.ts';
import { broadcastShapes, describe, inputOf } from './shared-structure.ts';
import { matrix } from './shared-uses.ts';

/** A vector on the left is a row, on the right a column. */
const asMatrix = (shape: Shape, side: 'left' | 'right'): Shape =>
  shape.length > 1 ? shape : side === 'left' ? [1, ...shape] : [...shape, 1];

/** Shape of a product of stacks of matrices, with numpy's rules for vectors and broadcasting. */
export const matmulShape = (call: Call, a: Shape | undefined, b: Shape | undefined): Shape | undefined => {
  if (a === undefined || b === undefined) return undefined;
  if (a.length === 0 || b.length === 0) {
    throw refusal(`${describe(call)}: expected vectors or matrices, found a scalar`);
  }
  const [left, right] = [asMatrix(a, 'left'), asMatrix(b, 'right')];
  const [k, rows] = [left.at(-1), right.at(-2)];
  if (typeof k === 'number' && typeof rows === 'number' && k !== rows) {
    throw refusal(`${describe(call)}: [${a.join(', ')}] times [${b.join(', ')}]: ${k} columns meet ${rows} rows`);
  }
  const batch = broadcastShapes(call, [left.slice(0, -2), right.slice(0, -2)]) ?? [];
  const m = a.length > 1 ? left.slice(-2, -1) : [];
  const n = b.length > 1 ? right.slice(-1) : [];
  return [...batch, ...m, ...n];
};

const infer = (call: Call): readonly Inferred[] => {
  const [a, b] = [inputOf(call, 0), inputOf(call, 1)];
  return [{ dtype: a.dtype, shape: matmulShape(call, a.shape, b.shape) }];
};

/** Multiply-accumulates: the contracted size for every output element. */
export const matmulMacs = (call: Call): Dim => {
  const [a, b] = [inputOf(call, 0).shape, inputOf(call, 1).shape];
  const shape = matmulShape(call, a, b);
  return a === undefined || shape === undefined ? 0 : multiplyDims(productOf(shape), a.at(-1) ?? 1);
};

/** Stacks count from the matrix outwards; m, k and n name the matrix axes. */
const stack = (shape: Shape, matrix: readonly string[]): Labels => [
  ...fromEnd(shape.slice(0, shape.length - matrix.length)),
  ...matrix,
];

/** Labels of a (.., m, k), b (.., k, n) and y (.., m, n), any of m and n missing where a side is a vector. */
export const matmulLabels = (call: Call, port: Port, shape: Shape): Labels => {
  const m = (inputOf(call, 0).shape?.length ?? 0) > 1 ? ['m'] : [];
  const n = (inputOf(call, 1).shape?.length ?? 0) > 1 ? ['n'] : [];
  if (port.kind === 'output') return stack(shape, [...m, ...n]);
  return stack(shape, port.position === 0 ? [...m, 'k'] : ['k', ...n]);
};

/** The last two axes exchanged. */
export const transposeMatrix = (emit: Emit, x: Value, rank: number): Value =>
  moveAxis(emit, x, rank, rank - 2, rank - 1);

/** All leading axes as one: (.., n) to (m, n), without a copy. */
const flat = (emit: Emit, x: Value, rank: number): Value =>
  rank === 2 ? x : emit.op('Flatten', [x], { axis: rank - 1 });

const rankOf = (emit: Emit, call: Call, x: Value): number => {
  const { shape } = emit.type(x);
  if (shape === undefined) throw refusal(`${describe(call)}: the rank of '${x}' is not known`);
  return shape.length;
};

/**
 * db = aT dy. For one matrix b under a stack a this is a single product over all rows, never a stack of products that
 * is then summed.
 */
const rightGradient = (emit: Emit, a: Value, dy: Value, ranks: { a: number; b: number; dy: number }): Value =>
  ranks.b === 2
    ? emit.op('Gemm', [flat(emit, a, ranks.a), flat(emit, dy, ranks.dy)], { transA: 1 })
    : emit.op('MatMul', [transposeMatrix(emit, a, ranks.a), dy]);

/** y = x w on stacks of matrices:  dx = dy wT, dw = xT dy. A vector becomes a row on the left, a column on the right. */
export const matmulGradient = (emit: Emit, call: Call, x: Value, w: Value, dy: Value): readonly [Value, Value] => {
  const [row, column] = [rankOf(emit, call, x) === 1, rankOf(emit, call, w) === 1];
  const a = row ? unsqueeze(emit, x, [0]) : x;
  const b = column ? unsqueeze(emit, w, [1]) : w;
  const tall = column ? unsqueeze(emit, dy, [rankOf(emit, call, dy)]) : dy;
  const d = row ? unsqueeze(emit, tall, [rankOf(emit, call, tall) - 1]) : tall;
  const ranks = { a: rankOf(emit, call, a), b: rankOf(emit, call, b), dy: rankOf(emit, call, d) };
  const da = emit.op('MatMul', [d, transposeMatrix(emit, b, ranks.b)]);
  const db = rightGradient(emit, a, d, ranks);
  return [
    row ? squeeze(emit, da, [rankOf(emit, call, da) - 2]) : da,
    column ? squeeze(emit, db, [rankOf(emit, call, db) - 1]) : db,
  ];
};

const gradient: Gradient = (emit, call, [dy]) =>
  dy == null ? [null, null] : matmulGradient(emit, call, operand(call, 0), operand(call, 1), dy);

/** Products of stacks of matrices, broadcast like numpy. */
export const matmul: OpDef = {
  domain: '',
  op: 'MatMul',
  since: 1,
  infer,
  alike: [0, 1],
  gradient,
  mixes: true,
  cut: labelCut(infer, matmulLabels, 'has no such axis'),
  uses: (call) => [matrix(call, 0, true), matrix(call, 1, false)],
  macs: matmulMacs,
  samples: [
    { name: 'two matrices', inputs: [floats(2, 3), floats(3, 4)], macs: 24 },
    { name: 'rows of a batch times a weight', inputs: [floats(2, 5, 3), floats(3, 4)], macs: 120 },
    { name: 'heads', inputs: [floats(2, 2, 3, 4), floats(2, 2, 4, 3)], macs: 144 },
    { name: 'stacks broadcast on both sides', inputs: [floats(2, 1, 3, 4), floats(5, 4, 2)], macs: 240 },
    { name: 'a matrix times a stack', inputs: [floats(3, 4), floats(2, 4, 5)], macs: 120 },
    { name: 'a stack of one on the right', inputs: [floats(2, 3, 4), floats(1, 4, 5)], macs: 120 },
    { name: 'row times matrix', inputs: [floats(3), floats(3, 4)], macs: 12 },
    { name: 'row times stack', inputs: [floats(3), floats(2, 3, 4)], macs: 24 },
    { name: 'matrix times column', inputs: [floats(4, 3), floats(3)], macs: 12 },
    { name: 'stack times column', inputs: [floats(2, 4, 3), floats(3)], macs: 24 },
    { name: 'two vectors', inputs: [floats(3), floats(3)], macs: 3 },
  ],
};
