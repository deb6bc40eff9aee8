import { FEWEST } from './fewest.ts';
import type { OfGradients, State } from './saliency.ts';

/** The scores of a state, which start at 0. */
const scoresOf = ({ scores }: State): Float32Array<ArrayBuffer> => {
  if (scores === undefined) throw new Error('a state that movement did not start');
  return scores;
};

/**
 * S = -sum over updates of w dL/dw', the gradient at the masked weights w' (Sanh et al. 2020, Movement Pruning, 2005.07683, eq. 4
 * and section 4): what moves away from zero stays, the best of each matrix (top-v), and what is masked may come back.
 */
export const movement: OfGradients = {
  ...{ name: 'movement', summary: 'whether training moves a weight away from zero', reads: 'gradients' },
  ...{ competes: 'matrix', during: 'training', fewest: FEWEST },
  start: ({ plane: { rows, width } }) => ({ scores: new Float32Array(rows * width) }),
  after: (state, { weight, gradient }) => {
    const scores = scoresOf(state);
    for (let i = 0; i < scores.length; i++) {
      scores[i] = (scores[i] as number) - (weight[i] as number) * (gradient[i] as number);
    }
  },
  score: scoresOf,
};
