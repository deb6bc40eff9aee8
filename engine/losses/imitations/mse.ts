import { defineImitation } from '../imitation.ts';
import { meanOver, weighed } from '../nodes.ts';

/**
 * L = sum_i w_i mean_c (z_ic - t_ic)^2 over whatever numbers each answer has: logits as they are (Ba and Caruana 2014,
 * arXiv 1312.6184; Kim et al. 2021, arXiv 2105.08919), a number in its unit, or a vector.
 */
export const mse = defineImitation({
  uses: 'mse',
  summary: "squared distance of the student's numbers to the teacher's",
  reads: ['choice', 'token', 'set', 'number', 'vector'],
  options: {},
  emit: ({ builder, answers }) => {
    const { student, teacher, weights } = answers();
    const error = builder.op('Sub', [student, teacher]); // (.., width)
    return weighed(builder, meanOver(builder, builder.op('Mul', [error, error]), -1), weights);
  },
});
