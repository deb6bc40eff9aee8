import { defineImitation, layersOption } from '../imitation.ts';
import { squares } from './squares.ts';

/**
 * Hidden states after a learned projection (TinyBERT, Jiao et al. 2020, arXiv 1909.10351):
 * L = w mean over tokens of |h_student W - h_teacher|^2 / width, summed over layers that meet; no W where widths agree.
 */
export const hidden = defineImitation({
  uses: 'hidden',
  summary: 'squared distance of hidden states',
  reads: 'layers',
  options: { layers: layersOption('uniform') },
  emit: (scope, { layers }) => scope.layers(layers, (student, teacher) => squares(scope, student, teacher)),
});
