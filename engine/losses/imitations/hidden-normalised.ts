import { defineImitation, layersOption } from '../imitation.ts';
import { rowSums, unit } from '../nodes.ts';

/**
 * Patient distillation (PKD, Sun et al. 2019, arXiv 1908.09355): |h_student / |h_student| - h_teacher / |h_teacher||^2 summed over the width.
 * The paper compares the first token; here all of them count, as models that pool by the mean read all. That is twice the angle's
 * 1 - cos, so hidden-cosine with its layers and twice the weight is the same loss.
 */
export const hiddenNormalised = defineImitation({
  uses: 'hidden-normalised',
  summary: 'squared distance of hidden states of length 1',
  reads: 'layers',
  options: { layers: layersOption('uniform') },
  emit: (scope, { layers }) =>
    scope.layers(layers, (student, teacher) => {
      const { builder } = scope;
      const rows = [scope.projected(student, teacher), teacher.hidden].map((rows) => unit(builder, rows));
      const difference = rows.reduce((a, b) => builder.op('Sub', [a, b]));
      return rowSums(builder, builder.op('Mul', [difference, difference])); // (batch, sequence)
    }),
});
