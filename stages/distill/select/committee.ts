import { meanDistances } from './distance.ts';
import type { Selection } from './selection.ts';

/** Texts on which teachers disagree with each other: the mean of KL(teacher_k || all of them) (McCallum and Nigam 1998). */
export const committee = {
  name: 'committee',
  summary: 'those on which several teachers say different things',
  reads: 'teachers',
  scores: (candidates) => {
    const all = candidates.teachers().map((one) => meanDistances(candidates, one, candidates.teacher()));
    return Float64Array.from({ length: candidates.count }, (_, text) =>
      all.reduce((sum, one) => sum + (one[text] ?? 0) / all.length, 0),
    );
  },
} as const satisfies Selection;
