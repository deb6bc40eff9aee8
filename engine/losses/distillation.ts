import type { Loss, LossSettings } from './loss.ts';
import { teacherAnswers, teacherWeights } from './teacher.ts';

/**
 * Distillation of logits (Hinton et al. 2015, arXiv 1503.02531): L = T^2 sum_i w_i KL(p_i || q_i) with
 * p = softmax(teacher / T) and q = softmax(student / T). T^2 keeps gradients as large as those of hard labels.
 */
export const distillation = ({
  temperature,
  hard,
  beside,
}: Pick<LossSettings, 'temperature' | 'hard' | 'beside'>): Loss => ({
  name: 'distillation',
  emit: (scope) => {
    const { builder, answers: logits } = scope;
    const teacher = teacherAnswers(scope, beside);
    const weights = teacherWeights(scope, { hard, beside });
    const cooled = builder.scalar('float32', 1 / temperature);
    const wanted = builder.op('Mul', [teacher, cooled]);
    const logP = builder.op('LogSoftmax', [wanted], { axis: -1 });
    const p = builder.op('Softmax', [wanted], { axis: -1 });
    const logQ = builder.op('LogSoftmax', [builder.op('Mul', [logits, cooled])], { axis: -1 });
    const terms = builder.op('Mul', [p, builder.op('Sub', [logP, logQ])]); // (.., classes)
    const divergence = builder.op('ReduceSum', [terms, builder.ints([-1])], { keepdims: 0 }); // (..)
    const sum = builder.op('ReduceSum', [builder.op('Mul', [divergence, weights])], { keepdims: 0 });
    return builder.op('Mul', [sum, builder.scalar('float32', temperature ** 2)]);
  },
});
