import type { Loss, StepScope } from '../../../engine/losses/loss.ts';
import type { Value } from '../../../graph/graph.ts';

/** Units that are counted together, and the share of them that is to stay. */
export interface Constraint {
  readonly name: string;
  /** What each gate counts, part by part; made again by whoever asks. */
  open(scope: StepScope): readonly Value[];
  /** Share that is to be open at a point of training. */
  target(done: number): number;
}

/** What the multiplier of the square starts at: the share then follows the target closely, and does not swing far beyond it. */
export const SQUARE = 20;

export const MULTIPLIERS = ['gates/multiplier', 'gates/multiplier/square'] as const;

/** s - t of every constraint: (constraints). */
const excess = (scope: StepScope, all: readonly Constraint[]): Value => {
  const { builder } = scope;
  const shares = all.map((one) => {
    const open = one.open(scope);
    const whole = open.length === 1 ? (open[0] as Value) : builder.op('Concat', open, { axis: 0 });
    return builder.op('ReduceMean', [whole, builder.ints([0])], { keepdims: 1 });
  });
  const target = scope.input({
    ...{ name: 'gates/target', dtype: 'float32', shape: [all.length] },
    feed: ({ done }) => ({
      ...{ dtype: 'float32', dims: [all.length] },
      data: Float32Array.from(all, (one) => one.target(done)),
    }),
  });
  return builder.op('Sub', [builder.op('Concat', shares, { axis: 0 }), target]);
};

/**
 * max over l1, l2 of l1 (s - t) + l2 (s - t)^2, a sum over constraints: the share s of units that is expected to stay is drawn to
 * the target t by multipliers that rise while it is missed (Wang et al. 2020, 1910.04732; Xia et al. 2022, CoFi, 2204.00408, eq. 7).
 */
export const constraintLoss = (all: readonly Constraint[]): Loss => ({
  name: 'gates',
  emit: (scope) => {
    const { builder } = scope;
    const beyond = excess(scope, all);
    const [plain, square] = MULTIPLIERS.map((name) =>
      scope.ascent(scope.parameter(name, [all.length], { kind: 'zeros' })),
    ) as [Value, Value];
    const linear = builder.op('Mul', [plain, beyond]);
    const steep = builder.op('Add', [square, builder.scalar('float32', SQUARE)]);
    const squared = builder.op('Mul', [steep, builder.op('Mul', [beyond, beyond])]);
    return builder.op('ReduceSum', [builder.op('Add', [linear, squared])], { keepdims: 0 });
  },
});
