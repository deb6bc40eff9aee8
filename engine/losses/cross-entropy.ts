import { type Loss, lossInputs } from './loss.ts';

/**
 * Cross-entropy with soft targets: L = - sum_i sum_c t_ic log softmax(z_i)_c. Label smoothing (Szegedy et al. 2016,
 * arXiv 1512.00567), class weights and the mean over examples live in the targets: see `writeTarget`.
 */
export const crossEntropy: Loss = {
  name: 'cross-entropy',
  emit: ({ builder, answers: logits }) => {
    const targets = builder.input(lossInputs.targets, 'float32', builder.type(logits).shape);
    const logProbabilities = builder.op('LogSoftmax', [logits], { axis: -1 });
    const agreement = builder.op('Mul', [logProbabilities, targets]); // (.., classes)
    return builder.op('Neg', [builder.op('ReduceSum', [agreement], { keepdims: 0 })]);
  },
};

/** Writes weight * ((1 - smoothing) [c = label] + smoothing / classes) into one row of the targets. */
export const writeTarget = (
  row: Float32Array,
  label: number,
  options: { readonly smoothing: number; readonly weight: number },
): void => {
  const { smoothing, weight } = options;
  row.fill((weight * smoothing) / row.length);
  row[label] = weight * (1 - smoothing + smoothing / row.length);
};

/** Weights that give every class the same say: examples / (classes * examples of the class); 1 on average. */
export const balancedClassWeights = (labels: readonly number[], classes: number): Float64Array => {
  const counts = new Float64Array(classes);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts.map((count) => (count === 0 ? 0 : labels.length / (classes * count)));
};
