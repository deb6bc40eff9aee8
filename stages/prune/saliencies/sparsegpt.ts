import type { OfCorrelations } from './saliency.ts';

/**
 * I(w_j) = w_j^2 / U_jj^2 with U'U = H^-1 and H = X'X, input by input, each weight that goes being made up for by all that follow in
 * its row: w := w - (w_j / U_jj) U_j (Frantar and Alistarh 2023, 2301.00774; the update is that of Hassibi and Stork 1993, Optimal
 * Brain Surgeon). What goes is decided for stretches of 128 inputs, or for each M of them.
 */
export const sparsegpt: OfCorrelations = {
  ...{ name: 'sparsegpt', summary: 'error of the layer where those that stay make up for it', reads: 'correlations' },
  competes: 'matrix',
  open: async (...given) => (await import('./walk.ts')).open(...given),
};
