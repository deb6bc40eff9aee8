import type { OfGradients } from './saliency.ts';

/**
 * I(w) = w^2 F / 2 with F the mean over texts of (dL/dw)^2, the diagonal of the empirical Fisher matrix in place of the Hessian
 * (LeCun et al. 1989, Optimal Brain Damage; Theis et al. 2018, 1801.05787).
 */
export const fisher: OfGradients = {
  ...{ name: 'fisher', summary: 'square of a weight times the mean square of its gradient', reads: 'gradients' },
  ...{ competes: 'model', during: 'any', pace: { looks: 2, masks: 20 } },
  start: ({ plane: { rows, width } }) => ({ squares: new Float32Array(rows * width), looks: new Float32Array(1) }),
  after: ({ squares, looks }, { gradient }) => {
    if (squares === undefined || looks === undefined) throw new Error('a state that fisher did not start');
    for (let i = 0; i < squares.length; i++) {
      const g = gradient[i] as number;
      squares[i] = (squares[i] as number) + g * g;
    }
    looks[0] = (looks[0] as number) + 1;
  },
  score: ({ squares = new Float32Array(), looks }, { data }) => {
    const count = Math.max(1, looks?.[0] ?? 1);
    const scores = new Float32Array(data.length);
    for (let i = 0; i < scores.length; i++) {
      const w = data[i] as number;
      scores[i] = (0.5 * w * w * (squares[i] as number)) / count;
    }
    return scores;
  },
};
