import type { Value } from '../graph.ts';
import type { Call, Emit, OpDef, Sample } from '../op.ts';
import { elementCount, numbersOf } from '../tensor.ts';
import { broadcastCut } from './shared-cuts.ts';
import {
  floats,
  indicator,
  inferBroadcast,
  nonZero,
  operand,
  result,
  scalarLike,
  scale,
  selected,
  within,
} from './shared-math.ts';
import { inputOf, isFloat, noMacs } from './shared-structure.ts';

/** The exponent where it is one known number. */
const constantExponent = (call: Call): number | undefined => {
  const tensor = call.constant(1);
  if (tensor === undefined || elementCount(tensor.dims) !== 1 || tensor.dtype === 'float16') return undefined;
  return numbersOf(tensor)[0];
};

/** dx = dy p x^(p - 1), without a power where p is 2. */
const baseGradient = (emit: Emit, call: Call, dy: Value): Value | null => {
  const [x, p] = [operand(call, 0), operand(call, 1)];
  const known = constantExponent(call);
  if (known === 0) return null;
  if (known === 1) return dy;
  if (known === 2) return emit.op('Mul', [dy, scale(emit, x, 2)]);
  if (known !== undefined) {
    return emit.op('Mul', [dy, scale(emit, emit.op('Pow', [x, scalarLike(emit, x, known - 1)]), known)]);
  }
  const exponent = emit.type(p).dtype === emit.type(x).dtype ? p : indicator(emit, p, x);
  const less = emit.op('Sub', [exponent, scalarLike(emit, x, 1)]);
  const slope = emit.op('Mul', [exponent, emit.op('Pow', [x, less])]);
  // A power of 0 is 1 everywhere, at x = 0 too, where the formula says 0 times infinity.
  return emit.op('Mul', [dy, selected(emit, nonZero(emit, exponent), slope)]);
};

/** dp = dy y log(x), zero where x <= 0. */
const exponentGradient = (emit: Emit, call: Call, dy: Value): Value | null => {
  const x = operand(call, 0);
  if (!isFloat(inputOf(call, 1).dtype) || constantExponent(call) !== undefined) return null;
  const slope = emit.op('Mul', [result(call), emit.op('Log', [x])]);
  return emit.op('Mul', [dy, selected(emit, emit.op('Greater', [x, scalarLike(emit, x, 0)]), slope)]);
};

const record = (since: number, samples: readonly Sample[]): OpDef => ({
  domain: '',
  op: 'Pow',
  since,
  infer: inferBroadcast,
  gradient: (emit, call, [dy]) =>
    dy == null ? [null, null] : [baseGradient(emit, call, dy), exponentGradient(emit, call, dy)],
  steep: (call) => {
    const known = constantExponent(call);
    return known === undefined || (known < 1 && known !== 0) ? 'anywhere' : undefined;
  },
  cut: broadcastCut(inferBroadcast),
  macs: noMacs,
  samples,
});

const exponent = (...data: readonly number[]) => ({ dtype: 'float32', dims: [], data, constant: true }) as const;

const powers: readonly Sample[] = [
  { name: 'squares', inputs: [floats(2, 3), exponent(2)] },
  { name: 'cubes', inputs: [floats(2, 3), exponent(3)] },
  { name: 'roots', inputs: [within([0.5, 2], 2, 3), exponent(0.5)] },
  { name: 'any power', inputs: [within([0.5, 2], 2, 3), floats(3)] },
];

/** y = x^p:  dx = dy p x^(p - 1), dp = dy y log(x). Since opset 12 the exponent may have a type of its own. */
export const pow: readonly OpDef[] = [
  record(7, powers),
  record(12, [
    ...powers,
    { name: 'integer powers', inputs: [floats(2, 3), { dtype: 'int64', dims: [3], data: [1, 2, 3] }] },
  ]),
];
