import { defineImitation } from '../imitation.ts';
import { oneMinusCosine, unit, weighed } from '../nodes.ts';

/**
 * Distance of vectors to a teacher's: L = sum_i w_i (1 - cos(s_i, t_i)), which is half the squared distance of the two
 * after both are scaled to length 1 (Reimers and Gurevych 2020, arXiv 2004.09813, use the squared distance).
 */
export const cosine = defineImitation({
  uses: 'cosine',
  summary: "angle between the student's vector and the teacher's",
  reads: ['vector'],
  options: {},
  emit: ({ builder, answers }) => {
    const { student, teacher, weights } = answers();
    return weighed(builder, oneMinusCosine(builder, unit(builder, student), unit(builder, teacher)), weights);
  },
});
