import type { Seeing } from './rounding.ts';

/**
 * Rounds input by input and makes up for each error by the inputs that follow, so that outputs err least.
 *
 * Frantar et al. 2022, GPTQ, arXiv 2210.17323, with scales set before and inputs in the order of their squares.
 */
export const gptq: Seeing = {
  name: 'gptq',
  summary: 'input by input, what each errs by being made up for by those that follow',
  readsInputs: true,
  scales: false,
  open: async (...given) => (await import('./gptq-rounder.ts')).open(...given),
};
