import type { Value } from '../../graph/graph.ts';
import { modelError } from '../../ground/errors.ts';
import { hiddenStatesOf } from '../../models/anatomy/hidden-states.ts';
import type { Model } from '../../models/model.ts';
import { type Beside, teacherIn } from './beside.ts';
import type { Loss, StepScope } from './loss.ts';

/** Student layer and the teacher layer that it imitates, both counted from 0. */
export type LayerPair = readonly [student: number, teacher: number];

/** Which teacher layer each student layer imitates: spread evenly (the last meets the last), or the last alone. */
export const layerPairs = (student: number, teacher: number, layers: 'uniform' | 'last'): readonly LayerPair[] =>
  layers === 'last'
    ? [[student - 1, teacher - 1]]
    : Array.from({ length: student }, (_, i): LayerPair => [i, Math.round(((i + 1) * teacher) / student) - 1]);

const layerValue = (states: readonly Value[], layer: number, role: string): Value => {
  const state = states[layer];
  if (state !== undefined) return state;
  throw modelError(`the ${role} has ${states.length} layers, so there is no layer ${layer} to compare`);
};

const widthOf = ({ builder }: StepScope, hidden: Value): number => {
  const width = builder.type(hidden).shape?.at(-1);
  if (typeof width !== 'number') throw modelError(`the width of the hidden state '${hidden}' is not known`);
  return width;
};

/** Sum over kept tokens of the mean squared error over the width: a scalar. */
const squaredError = (scope: StepScope, a: Value, b: Value): Value => {
  const { builder } = scope;
  const difference = builder.op('Sub', [a, b]); // (batch, sequence, width)
  const square = builder.op('Mul', [difference, difference]);
  const perToken = builder.op('ReduceMean', [square, builder.ints([2])], { keepdims: 0 }); // (batch, sequence)
  const kept = builder.op('Mul', [perToken, builder.op('Cast', [scope.given('mask')], { to: 1 })]);
  return builder.op('ReduceSum', [kept], { keepdims: 0 });
};

export interface HiddenStatesOptions {
  readonly pairs: readonly LayerPair[];
  /** Weight of the whole. */
  readonly weight: number;
}

/**
 * Hidden states after a learned projection (TinyBERT, Jiao et al. 2020, arXiv 1909.10351):
 * L = w sum over tokens of |h_student W - h_teacher|^2 / width, summed over layer pairs; no W where widths agree. The
 * teacher's graph joins the step graph, frozen and without dropout.
 */
export const hiddenStates = (student: Model, teacher: Beside, options: HiddenStatesOptions): Loss => ({
  name: 'hidden',
  emit: (scope) => {
    const { builder } = scope;
    const { pairs, weight } = options;
    const frozen = teacherIn(scope, teacher);
    const [own, others] = [hiddenStatesOf(student), hiddenStatesOf(teacher.model)];
    const errors = pairs.map(([from, to]) => {
      const mine = scope.student(layerValue(own, from, 'student'));
      const theirs = frozen.resolve(layerValue(others, to, 'teacher'));
      const dims = [widthOf(scope, mine), widthOf(scope, theirs)];
      const same = dims[0] === dims[1];
      const projected = same
        ? mine
        : builder.op('MatMul', [mine, scope.parameter(`hidden_projection.${from}.weight`, dims)]);
      return squaredError(scope, projected, theirs);
    });
    const sum = errors.reduce((a, b) => builder.op('Add', [a, b]));
    const perToken = scope.input({
      ...{ name: 'token_weight', dtype: 'float32', shape: [] },
      feed: ({ size }) => ({ dtype: 'float32', dims: [], data: Float32Array.of(weight / size.tokens) }),
    });
    return builder.op('Mul', [sum, perToken]);
  },
});
