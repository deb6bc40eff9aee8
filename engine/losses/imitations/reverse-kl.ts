import { defineImitation, temperatureOption } from '../imitation.ts';
import { weighed } from '../nodes.ts';
import { cooled, heated, rowsOf, separate } from './cooled.ts';
import { bernoulli } from './kl.ts';

/**
 * The other way round: L = T^2 sum_i w_i KL(q_i || p_i), which makes the student sure where the teacher is, and leaves out what it
 * cannot follow (Gu et al. 2024, arXiv 2306.08543).
 */
export const reverseKl = defineImitation({
  uses: 'reverse-kl',
  summary: "divergence of the student's probabilities from the teacher's",
  reads: ['choice', 'token', 'set'],
  takesLargest: true,
  options: { temperature: temperatureOption },
  emit: (scope, { temperature = scope.temperature }) => {
    const answered = cooled(scope, temperature);
    const { teacher, student, weights } = answered;
    const rows = separate(scope) ? bernoulli(scope, student, teacher) : rowsOf(scope, answered, 'student');
    return heated(scope, temperature, weighed(scope.builder, rows, weights));
  },
});
