import { refusal } from '../../ground/errors.ts';
import { type Dim, multiplyDims, productOf } from '../dim.ts';
import type { Value } from '../graph.ts';
import type { Call, Emit, Gradient, Inferred, OpDef } from '../op.ts';
import type { Port } from './shared-cuts.ts';
import { floatAttr, floats, type Labels, labelCut, operand, scale } from './shared-math.ts';
import { describe, inputOf, intAttr } from './shared-structure.ts';
import { along, matrix } from './shared-uses.ts';

const transposed = (call: Call, side: 'transA' | 'transB'): boolean => intAttr(call.node, side, 0) === 1;

const infer = (call: Call): readonly Inferred[] => {
  const [a, b] = [inputOf(call, 0), inputOf(call, 1)];
  if (a.shape === undefined || b.shape === undefined) return [{ dtype: a.dtype, shape: undefined }];
  const [m, k] = transposed(call, 'transA') ? a.shape.toReversed() : a.shape;
  const [rows, n] = transposed(call, 'transB') ? b.shape.toReversed() : b.shape;
  if (m === undefined || n === undefined || a.shape.length !== 2 || b.shape.length !== 2) {
    throw refusal(
      `${describe(call)}: expected two matrices, found [${a.shape.join(', ')}] and [${b.shape.join(', ')}]`,
    );
  }
  if (typeof k === 'number' && typeof rows === 'number' && k !== rows) {
    throw refusal(`${describe(call)}: [${a.shape.join(', ')}] times [${b.shape.join(', ')}]: ${k} meets ${rows}`);
  }
  return [{ dtype: a.dtype, shape: [m, n] }];
};

const labels = (call: Call, port: Port, shape: readonly unknown[]): Labels => {
  if (port.kind === 'output') return ['m', 'n'];
  if (port.position === 0) return transposed(call, 'transA') ? ['k', 'm'] : ['m', 'k'];
  if (port.position === 1) return transposed(call, 'transB') ? ['n', 'k'] : ['k', 'n'];
  return ['m', 'n'].slice(2 - shape.length);
};

/** op(p) op(q) times alpha, either side transposed. */
const product = (emit: Emit, p: Value, q: Value, transA: boolean, transB: boolean, alpha: number): Value =>
  emit.op('Gemm', [p, q], { transA: transA ? 1 : 0, transB: transB ? 1 : 0, alpha: { float: alpha } });

/** y = alpha a b + beta c, a and b transposed where the node says so:  da = alpha dy bT, db = alpha aT dy, dc = beta dy. */
const gradient: Gradient = (emit, call, [dy]) => {
  if (dy == null) return call.node.inputs.map(() => null);
  const [a, b] = [operand(call, 0), operand(call, 1)];
  const [ta, tb] = [transposed(call, 'transA'), transposed(call, 'transB')];
  const alpha = floatAttr(call, 'alpha', 1);
  const da = ta ? product(emit, b, dy, tb, true, alpha) : product(emit, dy, b, false, !tb, alpha);
  const db = tb ? product(emit, dy, a, true, ta, alpha) : product(emit, a, dy, !ta, false, alpha);
  const dc = call.node.inputs[2] == null ? null : scale(emit, dy, floatAttr(call, 'beta', 1));
  return [da, db, dc].slice(0, call.node.inputs.length);
};

const macs = (call: Call): Dim => {
  const [a, [y]] = [inputOf(call, 0).shape, infer(call)];
  if (a === undefined || y?.shape === undefined) return 0;
  return multiplyDims(productOf(y.shape), a[transposed(call, 'transA') ? 0 : 1] ?? 1);
};

/** One matrix product with an optional addend. */
export const gemm: OpDef = {
  domain: '',
  op: 'Gemm',
  since: 7,
  infer,
  alike: 'all',
  gradient,
  mixes: true,
  cut: labelCut(infer, labels, 'has no such axis'),
  uses: (call) => [
    matrix(call, 0, !transposed(call, 'transA')),
    matrix(call, 1, transposed(call, 'transB')),
    ...along(call, { 2: 'bias' }),
  ],
  macs,
  samples: [
    { name: 'a linear layer', inputs: [floats(2, 3), floats(3, 4), floats(4)], macs: 24 },
    { name: 'weights as (out, in)', inputs: [floats(2, 3), floats(4, 3), floats(4)], attrs: { transB: 1 }, macs: 24 },
    { name: 'first side transposed', inputs: [floats(3, 2), floats(3, 4)], attrs: { transA: 1 }, macs: 24 },
    {
      name: 'both transposed, scaled',
      inputs: [floats(3, 2), floats(4, 3), floats(2, 1)],
      attrs: { transA: 1, transB: 1, alpha: 0.5, beta: { float: 2 } },
      macs: 24,
    },
    { name: 'a scalar addend', inputs: [floats(2, 3), floats(3, 4), floats()], macs: 24 },
  ],
};

/** The same with an activation behind it: what ONNX Runtime makes of both. For inference only. */
export const fusedGemm: OpDef = {
  ...gemm,
  domain: 'com.microsoft',
  op: 'FusedGemm',
  since: 1,
  gradient: 'none',
  samples: [
    {
      name: 'a rectified layer',
      inputs: [floats(2, 3), floats(4, 3), floats(4)],
      attrs: { transB: 1, activation: 'Relu' },
      macs: 24,
    },
  ],
};
