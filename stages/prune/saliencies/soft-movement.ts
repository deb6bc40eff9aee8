import { FEWEST } from './fewest.ts';
import type { OfGradients, State } from './saliency.ts';

/** What scores move by at most, where gradients are as large as at the first update. */
const RATE = 0.01;
/** Weight of the regulariser, beside gradients of size 1. */
const LAMBDA = 1;

const partsOf = ({ scores, rate }: State) => {
  if (scores === undefined || rate === undefined) throw new Error('a state that soft movement did not start');
  return { scores, rate };
};

/** Root of the mean square of w dL/dw. */
const sizeOf = (weight: Float32Array, gradient: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < weight.length; i++) sum += ((weight[i] as number) * (gradient[i] as number)) ** 2;
  return Math.sqrt(sum / weight.length);
};

/**
 * S = S - a (w dL/dw' + l s(S) (1 - s(S))), with s the logistic function: movement with a regulariser that pulls all scores down,
 * and one threshold for all matrices, so that layers end with other shares (Sanh et al. 2020, 2005.07683, section 4, soft movement
 * pruning). The paper sets a threshold and sees what share comes of it; here a share is asked for, and the threshold is where it
 * lies. The rate a of a matrix is set by its first gradient, so that scores of all matrices move alike; l goes with it.
 */
export const softMovement: OfGradients = {
  ...{ name: 'soft-movement', summary: 'movement against a pull towards zero, with one threshold', reads: 'gradients' },
  ...{ competes: 'model', during: 'training', fewest: FEWEST },
  start: ({ plane: { rows, width } }) => ({ scores: new Float32Array(rows * width), rate: new Float32Array(1) }),
  after: (state, { weight, gradient }) => {
    const { scores, rate } = partsOf(state);
    // A matrix without a gradient yet waits for its first.
    const size = rate[0] === 0 ? sizeOf(weight, gradient) : 0;
    if (size > 0) rate[0] = RATE / size;
    const a = rate[0] as number;
    for (let i = 0; i < scores.length; i++) {
      const score = scores[i] as number;
      const soft = 1 / (1 + Math.exp(-score));
      const pull = RATE * LAMBDA * soft * (1 - soft);
      scores[i] = score - a * (weight[i] as number) * (gradient[i] as number) - pull;
    }
  },
  score: (state) => partsOf(state).scores,
};
