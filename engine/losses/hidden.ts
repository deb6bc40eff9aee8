import { type Value, value } from '../../graph/graph.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { modelError } from '../../ground/errors.ts';
import type { Model } from '../../models/model.ts';
import { absorb } from '../absorb.ts';
import { type Loss, lossInputs, type StepScope } from './loss.ts';

/** Student layer and the teacher layer that it imitates, both counted from 0. */
export type LayerPair = readonly [student: number, teacher: number];

/** Which teacher layer each student layer imitates: spread evenly (the last meets the last), or the last alone. */
export const layerPairs = (student: number, teacher: number, layers: 'uniform' | 'last'): readonly LayerPair[] =>
  layers === 'last'
    ? [[student - 1, teacher - 1]]
    : Array.from({ length: student }, (_, i): LayerPair => [i, Math.round(((i + 1) * teacher) / student) - 1]);

const layerValue = (model: Model, layer: number, role: string): Value => {
  const { hiddenStates } = model.info;
  const found = hiddenStates[layer];
  if (found === undefined) {
    throw modelError(`the ${role} has ${hiddenStates.length} layers, so there is no layer ${layer} to compare`);
  }
  return value(found);
};

const widthOf = ({ builder }: StepScope, hidden: Value): number => {
  const width = builder.type(hidden).shape?.at(-1);
  if (typeof width !== 'number') throw modelError(`the width of the hidden state '${hidden}' is not known`);
  return width;
};

/** Sum over kept tokens of the mean squared error over the width: a scalar. */
const squaredError = ({ builder, mask }: StepScope, a: Value, b: Value): Value => {
  const difference = builder.op('Sub', [a, b]); // (batch, sequence, width)
  const square = builder.op('Mul', [difference, difference]);
  const perToken = builder.op('ReduceMean', [square, builder.ints([2])], { keepdims: 0 }); // (batch, sequence)
  const kept = builder.op('Mul', [perToken, builder.op('Cast', [mask], { to: 1 })]);
  return builder.op('ReduceSum', [kept], { keepdims: 0 });
};

/** The ids that the teacher has for the student's tokens. */
const translated = ({ builder, cleanIds }: StepScope, ids: Int32Array): Value => {
  const table = tensorOf('int64', [ids.length], BigInt64Array.from(ids, BigInt));
  return builder.op('Gather', [builder.constant(table), cleanIds()]);
};

/**
 * Hidden states after a learned projection (TinyBERT, Jiao et al. 2020, arXiv 1909.10351):
 * L = w sum over tokens of |h_student W - h_teacher|^2 / width, summed over layer pairs; no W where widths agree. The
 * teacher's graph joins the step graph, frozen and without dropout. `teacherIds` has the teacher's id of each of the
 * student's tokens, where these differ.
 */
export const hiddenStates = (
  student: Model,
  teacher: Model,
  pairs: readonly LayerPair[],
  teacherIds?: Int32Array,
): Loss => ({
  name: 'hidden',
  emit: (scope) => {
    const { builder } = scope;
    const { inputs } = teacher.info;
    const frozen = absorb(builder, teacher.graph, {
      prefix: 'teacher/',
      dropout: 'off',
      inputs: new Map([
        [value(inputs.ids), teacherIds === undefined ? scope.cleanIds() : translated(scope, teacherIds)],
        [value(inputs.mask), scope.mask],
        ...(inputs.types === undefined ? [] : [[value(inputs.types), scope.types()] as const]),
      ]),
    });
    const errors = pairs.map(([from, to]) => {
      const mine = scope.student(layerValue(student, from, 'student'));
      const theirs = frozen.resolve(layerValue(teacher, to, 'teacher'));
      const dims = [widthOf(scope, mine), widthOf(scope, theirs)];
      const same = dims[0] === dims[1];
      const projected = same
        ? mine
        : builder.op('MatMul', [mine, scope.parameter(`hidden_projection.${from}.weight`, dims)]);
      return squaredError(scope, projected, theirs);
    });
    const sum = errors.reduce((a, b) => builder.op('Add', [a, b]));
    return builder.op('Mul', [sum, builder.input(lossInputs.tokenWeight, 'float32', [])]);
  },
});
