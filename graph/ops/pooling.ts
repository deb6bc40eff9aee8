import type { Value } from '../graph.ts';
import type { Call, Emit, Inferred, OpDef } from '../op.ts';
import type { Port } from './shared-cuts.ts';
import {
  divideByCount,
  equals,
  floats,
  gradientOfFirst,
  indicator,
  type Labels,
  labelCut,
  reduce,
  result,
  selected,
} from './shared-math.ts';
import { inputOf, noMacs } from './shared-structure.ts';

const infer = (call: Call): readonly Inferred[] => {
  const { dtype, shape } = inputOf(call, 0);
  return [{ dtype, shape: shape?.map((dim, axis) => (axis < 2 ? dim : 1)) }];
};

/** Texts or images, and their channels, go through. */
const labels = (_call: Call, _port: Port, shape: readonly unknown[]): Labels =>
  shape.map((_, axis) => (axis === 0 ? 'batch' : axis === 1 ? 'channel' : null));

type Rule = (emit: Emit, dy: Value, x: Value, y: Value, axes: readonly number[]) => Value;

const record = (op: string, rule: Rule, masks: boolean): OpDef => ({
  domain: '',
  op,
  since: 1,
  infer,
  gradient: gradientOfFirst((emit, call, dy, x) => {
    const rank = inputOf(call, 0).shape?.length ?? 2;
    const axes = Array.from({ length: rank - 2 }, (_, i) => i + 2);
    return rule(emit, dy, x, result(call), axes);
  }),
  mixes: true,
  ...(masks ? { masks: () => [0] } : {}),
  cut: labelCut(infer, labels, 'has already pooled over that axis'),
  macs: noMacs,
  samples: [
    { name: 'an image', inputs: [floats(2, 3, 4, 5)] },
    { name: 'a sequence', inputs: [floats(2, 3, 4)] },
  ],
});

const expandLike = (emit: Emit, v: Value, like: Value): Value => emit.op('Expand', [v, emit.shapeOf(like)]);

/** y = mean of x over all places:  dx = dy / places. */
export const globalAveragePool = record(
  'GlobalAveragePool',
  (emit, dy, x, _y, axes) => expandLike(emit, divideByCount(emit, dy, x, axes), x),
  false,
);

/** y = largest x of all places:  dx = dy where x = y, shared among equals. */
export const globalMaxPool = record(
  'GlobalMaxPool',
  (emit, dy, x, y, axes) => {
    const equal = equals(emit, x, y);
    const share = emit.op('Div', [dy, reduce(emit, 'ReduceSum', indicator(emit, equal, x), axes, true)]);
    return selected(emit, equal, share);
  },
  true,
);
