import { addDims, divideDims, floorDims, multiplyDims, subtractDims } from '../dim.ts';
import type { Gradient, OpDef, Sample } from '../op.ts';
import { broadcastCut } from './shared-cuts.ts';
import { type Arithmetic, inferInts } from './shared-ints.ts';
import { constantFloats, floats, operand, result, within } from './shared-math.ts';
import { noMacs } from './shared-structure.ts';
import { everyInput } from './shared-uses.ts';

/** Integer division truncates, which for sizes is to round down. */
const quotient: Arithmetic = (a, b) => {
  if (typeof a === 'number' && typeof b === 'number') return b === 0 ? undefined : Math.trunc(a / b);
  return divideDims(a, b) ?? (typeof b === 'number' ? floorDims(a, b) : undefined);
};

const binary = (
  op: string,
  role: 'bias' | 'scale',
  compute: Arithmetic,
  gradient: Gradient,
  samples: readonly Sample[],
  traits: Pick<OpDef, 'steep'> = {},
): OpDef => {
  const infer = inferInts(compute);
  const uses = everyInput(role);
  return {
    domain: '',
    op,
    since: 7,
    infer,
    alike: 'all',
    gradient,
    cut: broadcastCut(infer),
    uses,
    macs: noMacs,
    samples,
    ...traits,
  };
};

const every = (numbers: ArrayLike<number> | undefined, fits: (number: number) => boolean): boolean =>
  numbers !== undefined && Array.prototype.every.call(numbers, fits);

const shapes: readonly Sample[] = [
  { name: 'equal shapes', inputs: [floats(2, 3), floats(2, 3)] },
  { name: 'a row', inputs: [floats(2, 4, 3), floats(3)] },
  { name: 'both sides broadcast', inputs: [floats(2, 1, 3), floats(4, 1)] },
  { name: 'a scalar', inputs: [floats(2, 3), floats()] },
];

/** z = x + y:  dx = dz, dy = dz. */
export const add = binary('Add', 'bias', addDims, (_emit, _call, [dz]) => [dz ?? null, dz ?? null], shapes);

/** z = x - y:  dx = dz, dy = -dz. */
export const sub = binary(
  'Sub',
  'bias',
  subtractDims,
  (emit, _call, [dz]) => (dz == null ? [null, null] : [dz, emit.op('Neg', [dz])]),
  shapes,
);

/** z = x y:  dx = dz y, dy = dz x. */
export const mul = binary(
  'Mul',
  'scale',
  multiplyDims,
  (emit, call, [dz]) =>
    dz == null ? [null, null] : [emit.op('Mul', [dz, operand(call, 1)]), emit.op('Mul', [dz, operand(call, 0)])],
  shapes,
  {
    steep: (call) =>
      [0, 1].some((position) => every(constantFloats(call, position), Number.isFinite)) ? undefined : 'beyond',
  },
);

const divisor = [0.5, 2] as const;

/** z = x / y:  dx = dz / y, dy = -dz z / y. */
export const div = binary(
  'Div',
  'scale',
  quotient,
  (emit, call, [dz]) => {
    if (dz == null) return [null, null];
    const dx = emit.op('Div', [dz, operand(call, 1)]);
    return [dx, emit.op('Neg', [emit.op('Mul', [dx, result(call)])])];
  },
  [
    { name: 'equal shapes', inputs: [floats(2, 3), within(divisor, 2, 3)] },
    { name: 'a row', inputs: [floats(2, 4, 3), within(divisor, 3)] },
    { name: 'both sides broadcast', inputs: [floats(2, 1, 3), within(divisor, 4, 1)] },
    { name: 'a scalar', inputs: [floats(2, 3), within(divisor)] },
  ],
  { steep: (call) => (every(constantFloats(call, 1), (x) => x !== 0 && !Number.isNaN(x)) ? undefined : 'anywhere') },
);
