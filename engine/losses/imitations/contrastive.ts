import { z } from 'zod';
import { defineImitation } from '../imitation.ts';
import { divergence, unit, weighed } from '../nodes.ts';
import { scheduled } from '../scheduled.ts';

/**
 * InfoNCE within the batch, with the teacher's similarities in place of a one and zeros (SEED, Fang et al. 2021, arXiv 2101.04731):
 * L = sum_i w_i KL(softmax_j(cos(t_i, t_j) / T) || softmax_j(cos(s_i, t_j) / T)): where a text lies among all the others. The
 * entropy of the teacher, which no student can lower, is left out, so that it ends at 0.
 */
export const contrastive = defineImitation({
  uses: 'contrastive',
  summary: "where a vector lies among the teacher's of its batch",
  reads: ['vector'],
  comparesTexts: true,
  options: {
    temperature: scheduled(z.number().min(0.001).max(10))
      .default(0.05)
      .describe('of the similarities: the smaller, the more the nearest texts alone count'),
  },
  emit: ({ builder, answers, number }, { temperature }) => {
    const { student, teacher, weights } = answers(); // (batch, width)
    const theirs = unit(builder, teacher);
    const others = builder.op('Transpose', [theirs], { perm: [1, 0] });
    const cold = number('cold', temperature, (t) => 1 / t);
    const near = (rows: typeof theirs) => builder.op('Mul', [builder.op('MatMul', [rows, others]), cold]); // (batch, batch)
    return weighed(builder, divergence(builder, near(theirs), near(unit(builder, student))), weights);
  },
});
