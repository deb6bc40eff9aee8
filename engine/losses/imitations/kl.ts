import type { Value } from '../../../graph/graph.ts';
import { defineImitation, type ImitationScope, temperatureOption } from '../imitation.ts';
import { meanOver, weighed } from '../nodes.ts';
import { cooled, heated, rowsOf, separate } from './cooled.ts';

/**
 * KL(p || q) where each class is a question of its own, the mean over classes: with t and z the logits over T,
 * p (t - z) + softplus(z) - softplus(t), as log sigmoid(x) = x - softplus(x). No logarithm of 0 however sure the two are.
 */
export const bernoulli = ({ builder }: Pick<ImitationScope, 'builder'>, t: Value, z: Value): Value => {
  const agreement = builder.op('Mul', [builder.op('Sigmoid', [t]), builder.op('Sub', [t, z])]);
  const excess = builder.op('Sub', [builder.op('Softplus', [z]), builder.op('Softplus', [t])]);
  return meanOver(builder, builder.op('Add', [agreement, excess]), -1); // (..)
};

/**
 * Distillation of logits (Hinton et al. 2015, arXiv 1503.02531): L = T^2 sum_i w_i KL(p_i || q_i) with
 * p = softmax(teacher / T) and q = softmax(student / T). T^2 keeps gradients as large as those of hard labels. Where texts have
 * any of some classes, p and q are the two probabilities of each class, and the mean over classes is taken.
 */
export const kl = defineImitation({
  uses: 'kl',
  summary: "divergence of the teacher's probabilities from the student's",
  reads: ['choice', 'token', 'set'],
  takesLargest: true,
  options: { temperature: temperatureOption },
  emit: (scope, { temperature = scope.temperature }) => {
    const answered = cooled(scope, temperature);
    const { teacher, student, weights } = answered;
    const rows = separate(scope) ? bernoulli(scope, teacher, student) : rowsOf(scope, answered, 'teacher');
    return heated(scope, temperature, weighed(scope.builder, rows, weights));
  },
});
