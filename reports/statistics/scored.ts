/** Scores of one model on labelled examples: logits (examples x classes, row-major) and the true class of each. */
export interface Scored {
  readonly classes: number;
  readonly labels: Int32Array;
  readonly logits: Float32Array;
}

/** The class with the largest logit, the first one on ties. */
const predictedClass = (logits: Float32Array, classes: number, example: number): number => {
  let best = 0;
  for (let c = 1; c < classes; c++) {
    if ((logits[example * classes + c] ?? 0) > (logits[example * classes + best] ?? 0)) best = c;
  }
  return best;
};

/** The predicted class of every example. */
export const predictions = ({ logits, classes, labels }: Scored): Int32Array =>
  Int32Array.from(labels, (_, example) => predictedClass(logits, classes, example));

/** 1 where a model is right, 0 elsewhere. */
export const correctness = (scored: Scored): Uint8Array => {
  const predicted = predictions(scored);
  return Uint8Array.from(predicted, (c, example) => (c === scored.labels[example] ? 1 : 0));
};

/** log softmax of one row, in nats. */
export const logProbabilities = (logits: Float32Array, classes: number, example: number): Float64Array => {
  const row = Float64Array.from(logits.subarray(example * classes, (example + 1) * classes));
  const peak = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const norm = peak + Math.log(row.reduce((sum, x) => sum + Math.exp(x - peak), 0));
  return row.map((x) => x - norm);
};

export const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
  return sum / values.length;
};
