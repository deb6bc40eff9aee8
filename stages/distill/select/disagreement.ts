import { meanDistances } from './distance.ts';
import type { Selection } from './selection.ts';

/**
 * Texts about which the student as it comes in says other things than its teacher: KL(teacher || student) of classes, the squared
 * error of numbers, 1 - cosine of vectors (the loss that it would be taught by, as in Loshchilov and Hutter 2015, arXiv 1511.06343).
 */
export const disagreement = {
  name: 'disagreement',
  summary: 'those of which the student as it comes in says other things than the teacher',
  reads: 'student',
  scores: async (candidates) => meanDistances(candidates, candidates.teacher(), await candidates.student()),
} as const satisfies Selection;
