import type { Dim } from '../dim.ts';
import type { Call, Inferred, OpDef, Sample } from '../op.ts';
import { isWhole } from '../tensor.ts';
import { broadcastCut } from './shared-cuts.ts';
import { broadcastInts, broadcastShapes, inputOf, noMacs, withInts } from './shared-structure.ts';

/** What two known integers give; undefined where symbols leave it open. */
type Compare = (a: number, b: number) => boolean;

const operand = (call: Call, position: number, to: Inferred['shape']): readonly Dim[] | undefined => {
  const ints = call.ints(position);
  const from = inputOf(call, position).shape;
  return ints === undefined || from === undefined || to === undefined ? undefined : broadcastInts(ints, from, to);
};

/** A symbolic size equals itself and is never negative: that much is known without its value. Two integers may round to one double. */
const decide = (op: string, compare: Compare, a: Dim, b: Dim): number | undefined => {
  if (typeof a === 'number' && typeof b === 'number') {
    return a === b && !isWhole(a) ? undefined : compare(a, b) ? 1 : 0;
  }
  if (a === b) return compare(0, 0) ? 1 : 0;
  const negative = (typeof a === 'number' && a < 0) || (typeof b === 'number' && b < 0);
  return op === 'Equal' && negative ? 0 : undefined;
};

const inferWith =
  (op: string, compare: Compare) =>
  (call: Call): readonly Inferred[] => {
    const shape = broadcastShapes(call, [inputOf(call, 0).shape, inputOf(call, 1).shape]);
    const a = operand(call, 0, shape);
    const b = operand(call, 1, shape);
    const decided = a?.map((dim, i) => (b?.[i] === undefined ? undefined : decide(op, compare, dim, b[i])));
    const ints = decided?.filter((bit) => bit !== undefined);
    return [withInts({ dtype: 'bool', shape }, ints?.length === decided?.length ? ints : undefined)];
  };

const binary = (op: string, since: number, compare: Compare, samples: readonly Sample[]): OpDef => {
  const infer = inferWith(op, compare);
  return { domain: '', op, since, infer, gradient: 'stop', cut: broadcastCut(infer), macs: noMacs, samples };
};

const numbers: readonly Sample[] = [
  {
    name: 'equal shapes',
    inputs: [
      { dtype: 'int64', dims: [2, 3], max: 3 },
      { dtype: 'int64', dims: [2, 3], max: 3 },
    ],
  },
  {
    name: 'broadcasts',
    inputs: [
      { dtype: 'float32', dims: [2, 1, 3] },
      { dtype: 'float32', dims: [4, 1] },
    ],
  },
];

const booleans: readonly Sample[] = [
  {
    name: 'broadcasts',
    inputs: [
      { dtype: 'bool', dims: [2, 3] },
      { dtype: 'bool', dims: [3] },
    ],
  },
];

const inferUnary = (call: Call): readonly Inferred[] => [{ dtype: 'bool', shape: inputOf(call, 0).shape }];

const finite: readonly Sample[] = [{ name: 'numbers', inputs: [{ dtype: 'float32', dims: [2, 3] }] }];

const unary = (
  op: string,
  since: number,
  samples: readonly Sample[],
  infer: (call: Call) => readonly Inferred[],
): OpDef => ({
  domain: '',
  op,
  since,
  infer,
  gradient: 'stop',
  cut: broadcastCut(infer),
  macs: noMacs,
  samples,
});

const inferNot = (call: Call): readonly Inferred[] => {
  const ints = call.ints(0)?.map((bit) => (bit === 0 ? 1 : 0));
  return [withInts({ dtype: 'bool', shape: inputOf(call, 0).shape }, ints)];
};

/** Elementwise comparisons and logic with numpy broadcasting; all give bool and carry no gradient. */
export const comparisons: readonly OpDef[] = [
  binary('Equal', 11, (a, b) => a === b, numbers),
  binary('Less', 9, (a, b) => a < b, numbers),
  binary('LessOrEqual', 12, (a, b) => a <= b, numbers),
  binary('Greater', 9, (a, b) => a > b, numbers),
  binary('GreaterOrEqual', 12, (a, b) => a >= b, numbers),
  binary('And', 7, (a, b) => a !== 0 && b !== 0, booleans),
  binary('Or', 7, (a, b) => a !== 0 || b !== 0, booleans),
  binary('Xor', 7, (a, b) => (a !== 0) !== (b !== 0), booleans),
  unary('Not', 1, [{ name: 'flips', inputs: [{ dtype: 'bool', dims: [2, 3] }] }], inferNot),
  { ...unary('IsNaN', 9, finite, inferUnary), holes: 'finds' },
  { ...unary('IsInf', 10, finite, inferUnary), holes: 'finds' },
];
