import { stream } from '../../../data/random.ts';
import type { Selection } from './selection.ts';

/** Any: what another way has to beat. */
export const random = {
  name: 'random',
  summary: 'any, as a control',
  reads: 'nothing',
  scores: ({ count, seed }) => {
    const draws = stream(seed, 'select');
    return Float64Array.from({ length: count }, () => draws.uniform());
  },
} as const satisfies Selection;
