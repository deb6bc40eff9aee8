import { refusal } from '../../ground/errors.ts';
import { type Dim, multiplyDims, productOf, type Shape } from '../dim.ts';
import type { Value } from '../graph.ts';
import type { Call, Emit, Gradient, Inferred, OpDef } from '../op.ts';
import { matmulGradient, matmulShape, transposeMatrix } from './matmul.ts';
import type { Port } from './shared-cuts.ts';
import { floatAttr, floats, fromEnd, type Labels, labelCut, operand, scale } from './shared-math.ts';
import { describe, inputOf, intAttr } from './shared-structure.ts';
import { matrix } from './shared-uses.ts';

type Side = 'A' | 'B';

const flag = (call: Call, name: string): boolean => intAttr(call.node, name, 0) === 1;

/** The matrix axes of a side exchanged where the node says so. Vectors stay. */
const oriented = <T>(call: Call, side: Side, axes: readonly T[]): readonly T[] => {
  const [row, column] = axes.slice(-2);
  if (!flag(call, `trans${side}`) || axes.length < 2 || row === undefined || column === undefined) return axes;
  return [...axes.slice(0, -2), column, row];
};

const shapeOf = (call: Call, position: number, side: Side): Shape | undefined => {
  if (flag(call, `transBatch${side}`)) {
    throw refusal(`${describe(call)}: transBatch${side} is not supported; export the graph without fusion`);
  }
  const { shape } = inputOf(call, position);
  return shape === undefined ? undefined : oriented(call, side, shape);
};

const infer = (call: Call): readonly Inferred[] => [
  { dtype: inputOf(call, 0).dtype, shape: matmulShape(call, shapeOf(call, 0, 'A'), shapeOf(call, 1, 'B')) },
];

const labels = (call: Call, port: Port, shape: Shape): Labels => {
  const batch = fromEnd(shape.slice(0, -2));
  if (shape.length < 2) return shape.map(() => null);
  if (port.kind === 'output') return [...batch, 'm', 'n'];
  return port.position === 0 ? oriented(call, 'A', [...batch, 'm', 'k']) : oriented(call, 'B', [...batch, 'k', 'n']);
};

/** A side transposed where the node says so; its own inverse. */
const turned = (emit: Emit, call: Call, side: Side, x: Value): Value => {
  const rank = emit.type(x).shape?.length ?? 0;
  return flag(call, `trans${side}`) && rank > 1 ? transposeMatrix(emit, x, rank) : x;
};

/** y = alpha op(a) op(b), op an optional transposition:  the gradients of a MatMul, times alpha, transposed back. */
const gradient: Gradient = (emit, call, [dy]) => {
  if (dy == null) return [null, null];
  const alpha = scale(emit, dy, floatAttr(call, 'alpha', 1));
  const [a, b] = [turned(emit, call, 'A', operand(call, 0)), turned(emit, call, 'B', operand(call, 1))];
  const [da, db] = matmulGradient(emit, call, a, b, alpha);
  return [turned(emit, call, 'A', da), turned(emit, call, 'B', db)];
};

const macs = (call: Call): Dim => {
  const [a, [y]] = [shapeOf(call, 0, 'A'), infer(call)];
  return a === undefined || y?.shape === undefined ? 0 : multiplyDims(productOf(y.shape), a.at(-1) ?? 1);
};

/** A scaled product of stacks of matrices, either side transposed: what ONNX Runtime makes of Transpose and MatMul. */
export const fusedMatMul: OpDef = {
  domain: 'com.microsoft',
  op: 'FusedMatMul',
  since: 1,
  infer,
  alike: 'all',
  gradient,
  mixes: true,
  cut: labelCut(infer, labels, 'has no such axis'),
  uses: (call) => [matrix(call, 0, !flag(call, 'transA')), matrix(call, 1, flag(call, 'transB'))],
  macs,
  samples: [
    { name: 'scaled', inputs: [floats(2, 3), floats(3, 4)], attrs: { alpha: 0.5 }, macs: 24 },
    { name: 'queries times keys', inputs: [floats(2, 2, 3, 4), floats(2, 2, 5, 4)], attrs: { transB: 1 }, macs: 240 },
    { name: 'first side transposed', inputs: [floats(2, 3, 2), floats(2, 3, 4)], attrs: { transA: 1 }, macs: 48 },
    {
      name: 'rows of a batch times a weight',
      inputs: [floats(2, 5, 3), floats(4, 3)],
      attrs: { transB: 1 },
      macs: 120,
    },
  ],
};
