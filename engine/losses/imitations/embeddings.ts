import { defineImitation } from '../imitation.ts';
import { squares } from './squares.ts';

/** What the first layer reads (TinyBERT, Jiao et al. 2020, arXiv 1909.10351): the squared distance, after a projection where widths differ. */
export const embeddings = defineImitation({
  uses: 'embeddings',
  summary: 'squared distance of what the first layers read',
  reads: 'embeddings',
  options: {},
  emit: (scope) => scope.embeddings((student, teacher) => squares(scope, student, teacher)),
});
