import type { OfGradients } from './saliency.ts';

/**
 * I(w) = mean over texts of |w dL/dw|, the change of the loss by a first-order expansion where w becomes 0 (Molchanov et al. 2019,
 * 1906.10771, eq. 8 before it is squared).
 */
export const taylor: OfGradients = {
  ...{ name: 'taylor', summary: 'weight times gradient of the loss', reads: 'gradients', competes: 'model' },
  during: 'any',
  start: ({ plane: { rows, width } }) => ({ changes: new Float32Array(rows * width), looks: new Float32Array(1) }),
  after: ({ changes, looks }, { weight, gradient }) => {
    if (changes === undefined || looks === undefined) throw new Error('a state that taylor did not start');
    for (let i = 0; i < changes.length; i++) {
      changes[i] = (changes[i] as number) + Math.abs((weight[i] as number) * (gradient[i] as number));
    }
    looks[0] = (looks[0] as number) + 1;
  },
  score: ({ changes = new Float32Array(), looks }) => {
    const count = Math.max(1, looks?.[0] ?? 1);
    const scores = new Float32Array(changes.length);
    for (let i = 0; i < scores.length; i++) scores[i] = (changes[i] as number) / count;
    return scores;
  },
};
