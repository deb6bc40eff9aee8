import type { Loss, LossSettings } from './loss.ts';
import { teacherAnswers, teacherWeights } from './teacher.ts';

/**
 * Distillation where each class is a question of its own: L = T^2 sum_i w_i mean_c KL(p_ic || q_ic) between the Bernoulli
 * distributions p = sigmoid(teacher / T) and q = sigmoid(student / T) (Hinton et al. 2015, arXiv 1503.02531, class by class).
 * As log sigmoid(x) = x - softplus(x) and log(1 - sigmoid(x)) = -softplus(x), with t = teacher / T and z = student / T,
 * KL = p (t - z) + softplus(z) - softplus(t): no logarithm of 0 however sure the two are.
 */
export const classDistillation = ({ temperature, hard }: Pick<LossSettings, 'temperature' | 'hard'>): Loss => ({
  name: 'class-distillation',
  emit: (scope) => {
    const { builder, answers } = scope;
    const weights = teacherWeights(scope, { hard });
    const cooled = builder.scalar('float32', 1 / temperature);
    const t = builder.op('Mul', [teacherAnswers(scope), cooled]);
    const z = builder.op('Mul', [answers, cooled]);
    const agreement = builder.op('Mul', [builder.op('Sigmoid', [t]), builder.op('Sub', [t, z])]);
    const excess = builder.op('Sub', [builder.op('Softplus', [z]), builder.op('Softplus', [t])]);
    const terms = builder.op('Add', [agreement, excess]); // (.., classes)
    const divergence = builder.op('ReduceMean', [terms, builder.ints([-1])], { keepdims: 0 }); // (..)
    const sum = builder.op('ReduceSum', [builder.op('Mul', [divergence, weights])], { keepdims: 0 });
    return builder.op('Mul', [sum, builder.scalar('float32', temperature ** 2)]);
  },
});
