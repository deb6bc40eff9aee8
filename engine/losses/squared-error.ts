import { isKnown, targetOf } from '../../data/answer-targets.ts';
import type { Value } from '../../graph/graph.ts';
import { answerRows, answerWeights, type StepBatch } from '../step-batch.ts';
import { type Loss, type LossSettings, rowsShape, type StepScope } from './loss.ts';

/** L = sum_i w_i (z_i - t_i)^2, over whatever numbers each answer has. */
const weighted = ({ builder, answers }: StepScope, targets: Value, weights: Value): Value => {
  const error = builder.op('Sub', [answers, targets]); // (.., width)
  const each = builder.op('ReduceSum', [builder.op('Mul', [error, error]), builder.ints([-1])], { keepdims: 0 }); // (..)
  return builder.op('ReduceSum', [builder.op('Mul', [each, weights])], { keepdims: 0 });
};

const knownNumbers = (scope: StepScope): Value =>
  scope.input({
    ...{ name: 'numbers', dtype: 'float32', shape: scope.builder.type(scope.answers).shape },
    feed: (batch) =>
      answerRows(batch, 1, (answer, row) => {
        if (isKnown(batch.targets, answer)) row[0] = targetOf(batch.targets, answer);
      }),
  });

const knownWeights = (scope: StepScope, hard: number): Value => {
  const weight = ({ targets, size }: StepBatch, answer: number): number =>
    isKnown(targets, answer) ? hard / size.answers : 0;
  return scope.input({
    ...{ name: 'number_weights', dtype: 'float32', shape: rowsShape(scope) },
    feed: (batch) => answerWeights(batch, (answer) => weight(batch, answer)),
  });
};

/** Mean squared error of one number an answer; what has none counts nothing. */
export const squaredError = ({ hard }: Pick<LossSettings, 'hard'>): Loss => ({
  name: 'squared-error',
  emit: (scope) => weighted(scope, knownNumbers(scope), knownWeights(scope, hard)),
});
