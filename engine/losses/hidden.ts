import type { Value } from '../../graph/graph.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { modelError } from '../../ground/errors.ts';
import { hiddenStatesOf } from '../../models/anatomy/hidden-states.ts';
import type { Model } from '../../models/model.ts';
import { absorb } from '../absorb.ts';
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

/** The ids that the teacher has for the student's tokens. */
const translated = (scope: StepScope, ids: Int32Array): Value => {
  const { builder } = scope;
  const table = tensorOf('int64', [ids.length], BigInt64Array.from(ids, BigInt));
  return builder.op('Gather', [builder.constant(table), scope.given('tokens')]);
};

/** What the teacher's inputs are in the step: what the student was given, in the teacher's ids. */
const readAlong = (scope: StepScope, { info }: Model, teacherIds: Int32Array | undefined): ReadonlyMap<Value, Value> =>
  new Map(
    info.signature.inputs.map(({ name, role }) => [
      name,
      role === 'tokens' && teacherIds !== undefined ? translated(scope, teacherIds) : scope.given(role),
    ]),
  );

export interface HiddenStatesOptions {
  readonly pairs: readonly LayerPair[];
  /** Weight of the whole. */
  readonly weight: number;
  /** The teacher's id of each of the student's tokens, where these differ. */
  readonly teacherIds?: Int32Array | undefined;
}

/**
 * Hidden states after a learned projection (TinyBERT, Jiao et al. 2020, arXiv 1909.10351):
 * L = w sum over tokens of |h_student W - h_teacher|^2 / width, summed over layer pairs; no W where widths agree. The
 * teacher's graph joins the step graph, frozen and without dropout.
 */
export const hiddenStates = (student: Model, teacher: Model, options: HiddenStatesOptions): Loss => ({
  name: 'hidden',
  emit: (scope) => {
    const { builder } = scope;
    const { pairs, weight, teacherIds } = options;
    const inputs = readAlong(scope, teacher, teacherIds);
    const frozen = absorb(builder, teacher.graph, { prefix: 'teacher/', dropout: 'off', inputs });
    const [own, others] = [hiddenStatesOf(student), hiddenStatesOf(teacher)];
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
