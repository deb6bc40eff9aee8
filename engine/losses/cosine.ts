import type { Value } from '../../graph/graph.ts';
import type { Loss, LossSettings, StepScope } from './loss.ts';
import { teacherAnswers, teacherWeights } from './teacher.ts';

/** A vector of zeros has no direction: it is divided by this instead of by 0. */
const LEAST_NORM = 1e-6;

/** Rows of length 1. */
const unit = ({ builder }: StepScope, x: Value): Value => {
  const axis = builder.ints([1]);
  const squares = builder.op('ReduceSum', [builder.op('Mul', [x, x]), axis], { keepdims: 1 }); // (batch, 1)
  const norm = builder.op('Sqrt', [builder.op('Max', [squares, builder.scalar('float32', LEAST_NORM ** 2)])]);
  return builder.op('Div', [x, norm]);
};

/**
 * Distance of vectors to a teacher's: L = sum_i w_i (1 - cos(s_i, t_i)), which is half the squared distance of the two
 * after both are scaled to length 1 (Reimers and Gurevych 2020, arXiv 2004.09813, use the squared distance).
 */
export const cosineDistance = (settings: Pick<LossSettings, 'hard'>): Loss => ({
  name: 'cosine',
  emit: (scope) => {
    const { builder, answers } = scope;
    const teacher = teacherAnswers(scope);
    const weights = teacherWeights(scope, settings);
    const product = builder.op('Mul', [unit(scope, answers), unit(scope, teacher)]); // (batch, width)
    const cosines = builder.op('ReduceSum', [product, builder.ints([1])], { keepdims: 0 }); // (batch)
    const distances = builder.op('Sub', [builder.scalar('float32', 1), cosines]);
    return builder.op('ReduceSum', [builder.op('Mul', [distances, weights])], { keepdims: 0 });
  },
});
