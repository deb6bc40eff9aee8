import type { OfWeights } from './saliency.ts';

/** I(w) = |w| (Han et al. 2015, 1506.02626; ranked over all weights together as in Zhu and Gupta 2017, 1710.01878). */
export const magnitude: OfWeights = {
  ...{ name: 'magnitude', summary: 'size of a weight', reads: 'weights', competes: 'model' },
  score: ({ data }) => data.map(Math.abs),
};
