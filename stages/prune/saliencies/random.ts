import type { OfWeights } from './saliency.ts';

/** I(w) ~ U(0, 1): the control. */
export const random: OfWeights = {
  ...{ name: 'random', summary: 'random scores, the control', reads: 'weights', competes: 'model' },
  score: async ({ name, data }, seed) => {
    const { stream } = await import('../../../data/random.ts');
    const drawn = stream(seed, 'prune', 'zeros', name);
    return data.map(() => drawn.uniform());
  },
};
