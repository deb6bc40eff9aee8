import { forEachPlace } from '../plane.ts';
import type { OfInputs } from './saliency.ts';

/**
 * I(w_ij) = |w_ij| |x_j|_2, the norm of input j over all tokens of the texts, compared among the weights of one output (Sun et al.
 * 2023, 2306.11695).
 */
export const wanda: OfInputs = {
  ...{ name: 'wanda', summary: 'size of a weight times the norm of its input', reads: 'inputs', competes: 'row' },
  score: ({ data, plane }, squares) => {
    const scores = new Float32Array(data.length);
    forEachPlace(plane, (place, _, input) => {
      scores[place] = Math.abs(data[place] as number) * Math.sqrt(squares[input] as number);
    });
    return scores;
  },
};
