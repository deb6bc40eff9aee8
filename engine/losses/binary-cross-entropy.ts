import { isKnown, targetsOf } from '../../data/answer-targets.ts';
import { answerRows, type StepBatch } from '../step-batch.ts';
import type { Loss, LossSettings, StepScope } from './loss.ts';

/** A number a class of each answer whose classes are known, made of whether it has the class. */
const everyClass = (batch: StepBatch, number: (has: number, c: number) => number) => {
  const { targets, counts } = batch;
  return answerRows(batch, targets.width, (answer, row, turn) => {
    if (!isKnown(targets, answer)) return;
    const count = counts?.[turn] ?? 1;
    row.set(Float32Array.from(targetsOf(targets, answer), (has, c) => count * number(has, c)));
  });
};

/** What draws a class up, a = w y, and what draws at it at all, a + b with b = 1 - y; the mean and its share of the loss included. */
const weightsOf = ({ hard, labelSmoothing, classWeights }: LossSettings) => {
  const wanted = (has: number): number => (1 - labelSmoothing) * has + labelSmoothing / 2;
  const scale = ({ size, targets }: StepBatch): number => hard / (size.answers * targets.width);
  const up = (has: number, c: number): number => wanted(has) * (classWeights?.[c] ?? 1);
  return {
    up: (batch: StepBatch) => everyClass(batch, (has, c) => scale(batch) * up(has, c)),
    all: (batch: StepBatch) => everyClass(batch, (has, c) => scale(batch) * (up(has, c) + 1 - wanted(has))),
  };
};

/**
 * Binary cross-entropy of each class by itself: L = -mean_i mean_c (w_c y log sigmoid(z) + (1 - y) log(1 - sigmoid(z))), with
 * y = (1 - s) [c in labels_i] + s / 2 under label smoothing s. As log(1 - sigmoid(z)) = -softplus(z) and
 * log sigmoid(z) = z - softplus(z), it is the sum of (a + b) softplus(z) - a z, which neither overflows nor takes a logarithm
 * of 0. Class weights w count what has a class, not what lacks it.
 */
export const binaryCrossEntropy = (settings: LossSettings): Loss => ({
  name: 'binary-cross-entropy',
  emit: (scope: StepScope) => {
    const { builder, answers: logits } = scope;
    const { shape } = builder.type(logits);
    const { up, all } = weightsOf(settings);
    const drawn = scope.input({ name: 'class_weights_up', dtype: 'float32', shape, feed: up }); // (.., classes)
    const total = scope.input({ name: 'class_weights_all', dtype: 'float32', shape, feed: all }); // (.., classes)
    const soft = builder.op('Mul', [total, builder.op('Softplus', [logits])]);
    const terms = builder.op('Sub', [soft, builder.op('Mul', [drawn, logits])]);
    return builder.op('ReduceSum', [terms], { keepdims: 0 });
  },
});
