import type { Criterion } from './criterion.ts';

/**
 * First-order Taylor expansion of the loss around a mask of ones on each unit's activations a:
 * I(u) = sum over examples x of (sum over tokens and indices of u of a dL(x)/da)^2, the squared change that removing u
 * makes to the loss of x (Molchanov et al. 2017, 1611.06440, and 2019, 1906.10771; for heads Michel et al. 2019,
 * 1905.10650). A unit that is read in several places (a channel of the residual stream) adds up the effects of all of
 * them before squaring. Layers are so few that the loss without each is measured instead of estimated.
 */
export const taylor: Criterion = {
  name: 'taylor',
  summary: 'activation times gradient of the loss',
  needsExamples: true,
  scoreParts: async (...given) => (await import('./loss-change.ts')).scoreParts(...given),
  scoreLayers: async (...given) => (await import('./loss-change.ts')).scoreLayers(...given),
};
