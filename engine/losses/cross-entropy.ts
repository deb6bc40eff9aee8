import { targetOf } from '../../data/answer-targets.ts';
import type { Value } from '../../graph/graph.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { modelError } from '../../ground/errors.ts';
import { answerIds, answerWeights, type StepBatch } from '../step-batch.ts';
import { type Loss, type LossInput, type LossSettings, rowsShape, type StepScope } from './loss.ts';

/** The number of classes, as ids from 0 on. */
const classIds = ({ builder, answers }: StepScope): Value => {
  const classes = builder.type(answers).shape?.at(-1);
  if (typeof classes !== 'number') throw modelError(`the number of classes of '${answers}' is not known`);
  return builder.constant(
    tensorOf(
      'int64',
      [classes],
      BigInt64Array.from({ length: classes }, (_, c) => BigInt(c)),
    ),
  );
};

/** An input with a row of one number an answer, (.., 1). */
export const column = (
  scope: StepScope,
  name: string,
  dtype: LossInput['dtype'],
  feed: (batch: StepBatch) => ReturnType<LossInput['feed']>,
): Value => {
  const rows = rowsShape(scope);
  return scope.input({
    ...{ name, dtype, shape: rows === undefined ? undefined : [...rows, 1] },
    feed: (batch) => {
      const { dims, ...tensor } = feed(batch);
      return { ...tensor, dims: [...dims, 1] };
    },
  });
};

/** Weight of the label of an answer, 0 where there is none, and of each class beside it. */
const weightsOf = ({ hard, labelSmoothing, classWeights }: LossSettings, classes: number) => {
  const weight = ({ targets, size }: StepBatch, answer: number): number => {
    const label = targetOf(targets, answer);
    return label < 0 ? 0 : (hard * (classWeights?.[label] ?? 1)) / size.answers;
  };
  return {
    label: (batch: StepBatch) =>
      answerWeights(batch, (answer) => weight(batch, answer) * (1 - labelSmoothing + labelSmoothing / classes)),
    others: (batch: StepBatch) => answerWeights(batch, (answer) => (weight(batch, answer) * labelSmoothing) / classes),
  };
};

/** What a cross-entropy is taken with: the class of each row, its weight, and that of every class beside it. */
export interface Weighted {
  readonly labels: Value;
  readonly label: Value;
  readonly others: Value;
}

/** - sum_i sum_c w_ic log softmax(z_i)_c, w being `label` at the class of the row and `others` elsewhere. */
export const weightedCrossEntropy = (scope: StepScope, { labels, label, others }: Weighted): Value => {
  const { builder, answers: logits } = scope;
  const targets = builder.op('Where', [builder.op('Equal', [labels, classIds(scope)]), label, others]); // (.., classes)
  const logProbabilities = builder.op('LogSoftmax', [logits], { axis: -1 });
  const agreement = builder.op('Mul', [logProbabilities, targets]);
  return builder.op('Neg', [builder.op('ReduceSum', [agreement], { keepdims: 0 })]);
};

/**
 * Cross-entropy with the class of each answer: L = - sum_i w_i sum_c ((1 - s) [c = label_i] + s / classes) log softmax(z_i)_c.
 * Label smoothing s (Szegedy et al. 2016, arXiv 1512.00567), class weights and the mean over answers are the two weights
 * that are fed beside the class: a row of targets is made where it is used.
 */
export const crossEntropy = (settings: LossSettings): Loss => ({
  name: 'cross-entropy',
  emit: (scope) => {
    const { builder, answers: logits } = scope;
    const weights = weightsOf(settings, Number(builder.type(logits).shape?.at(-1)));
    const labels = column(scope, 'labels', 'int64', (batch) =>
      answerIds(batch, (answer) => targetOf(batch.targets, answer)),
    );
    const label = column(scope, 'label_weights', 'float32', weights.label);
    const others = column(scope, 'class_weights', 'float32', weights.others);
    return weightedCrossEntropy(scope, { labels, label, others });
  },
});

/** Weights that give every class the same say: examples / (classes * examples of the class); 1 on average. */
export const balancedClassWeights = (labels: readonly number[], classes: number): Float64Array => {
  const counts = new Float64Array(classes);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts.map((count) => (count === 0 ? 0 : labels.length / (classes * count)));
};
