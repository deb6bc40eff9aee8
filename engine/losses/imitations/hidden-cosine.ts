import { defineImitation, layersOption } from '../imitation.ts';
import { oneMinusCosine, unit } from '../nodes.ts';

/** The direction of hidden states alone (DistilBERT, Sanh et al. 2019, arXiv 1910.01108): the mean over tokens of 1 - cos(h_student W, h_teacher). */
export const hiddenCosine = defineImitation({
  uses: 'hidden-cosine',
  summary: 'angle between hidden states',
  reads: 'layers',
  options: { layers: layersOption('last') },
  emit: (scope, { layers }) =>
    scope.layers(layers, (student, teacher) => {
      const rows = [scope.projected(student, teacher), teacher.hidden].map((rows) => unit(scope.builder, rows));
      return rows.reduce((a, b) => oneMinusCosine(scope.builder, a, b)); // (batch, sequence)
    }),
});
