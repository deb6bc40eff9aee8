import { defineImitation, temperatureOption } from '../imitation.ts';
import { divergence, weighed } from '../nodes.ts';
import { cooled, heated, separate } from './cooled.ts';
import { bernoulli } from './kl.ts';

/**
 * The other way round: L = T^2 sum_i w_i KL(q_i || p_i), which makes the student sure where the teacher is, and leaves out what it
 * cannot follow (Gu et al. 2024, arXiv 2306.08543).
 */
export const reverseKl = defineImitation({
  uses: 'reverse-kl',
  summary: "divergence of the student's probabilities from the teacher's",
  reads: ['choice', 'token', 'set'],
  options: { temperature: temperatureOption },
  emit: (scope, { temperature = scope.temperature }) => {
    const { teacher, student, weights } = cooled(scope, temperature);
    const rows = separate(scope) ? bernoulli(scope, student, teacher) : divergence(scope.builder, student, teacher);
    return heated(scope, temperature, weighed(scope.builder, rows, weights));
  },
});
