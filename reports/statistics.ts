/** Scores of one model on labelled examples: logits (examples x classes, row-major) and the true class of each. */
export interface Scored {
  readonly classes: number;
  readonly labels: Int32Array;
  readonly logits: Float32Array;
}

/** z of a two-sided 95 % interval. */
const Z95 = 1.959963984540054;

/** The class with the largest logit, the first one on ties. */
const predictedClass = (logits: Float32Array, classes: number, example: number): number => {
  let best = 0;
  for (let c = 1; c < classes; c++) {
    if ((logits[example * classes + c] ?? 0) > (logits[example * classes + best] ?? 0)) best = c;
  }
  return best;
};

const predictions = ({ logits, classes, labels }: Scored): Int32Array =>
  Int32Array.from(labels, (_, example) => predictedClass(logits, classes, example));

const correctness = (scored: Scored): Uint8Array => {
  const predicted = predictions(scored);
  return Uint8Array.from(predicted, (c, example) => (c === scored.labels[example] ? 1 : 0));
};

/** log softmax of one row, in nats. */
const logProbabilities = (logits: Float32Array, classes: number, example: number): Float64Array => {
  const row = Float64Array.from(logits.subarray(example * classes, (example + 1) * classes));
  const peak = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const norm = peak + Math.log(row.reduce((sum, x) => sum + Math.exp(x - peak), 0));
  return row.map((x) => x - norm);
};

export const accuracy = (scored: Scored): number => mean(correctness(scored));

/** Mean cross-entropy, -log p(label), in nats. */
export const crossEntropy = ({ logits, classes, labels }: Scored): number =>
  mean(Array.from(labels, (label, example) => -(logProbabilities(logits, classes, example)[label] ?? 0)));

/** Unweighted mean of the F1 scores of the classes that occur in labels or predictions. */
export const macroF1 = (scored: Scored): number => {
  const predicted = predictions(scored);
  const hits = new Float64Array(scored.classes);
  const claimed = new Float64Array(scored.classes);
  const actual = new Float64Array(scored.classes);
  predicted.forEach((c, example) => {
    const label = scored.labels[example] ?? 0;
    claimed[c] = (claimed[c] ?? 0) + 1;
    actual[label] = (actual[label] ?? 0) + 1;
    if (c === label) hits[c] = (hits[c] ?? 0) + 1;
  });
  const scores: number[] = [];
  for (let c = 0; c < scored.classes; c++) {
    const seen = (claimed[c] ?? 0) + (actual[c] ?? 0);
    if (seen > 0) scores.push((2 * (hits[c] ?? 0)) / seen);
  }
  return mean(scores);
};

/** Share of examples on which two models predict the same class. */
export const agreement = (a: Scored, b: Scored): number => {
  const [first, second] = [predictions(a), predictions(b)];
  return mean(Array.from(first, (c, example) => (c === second[example] ? 1 : 0)));
};

/** Mean KL(reference || model) over examples, in nats. */
export const divergence = (reference: Scored, model: Scored): number =>
  mean(
    Array.from(reference.labels, (_, example) => {
      const p = logProbabilities(reference.logits, reference.classes, example);
      const q = logProbabilities(model.logits, model.classes, example);
      return p.reduce((sum, logP, c) => sum + Math.exp(logP) * (logP - (q[c] ?? 0)), 0);
    }),
  );

export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Difference of two accuracies on the same examples with its 95 % interval: the adjusted Wald interval for paired
 * proportions of Bonett and Price (2012), which adds one imagined disagreement in each direction.
 */
export const pairedDifference = (model: Scored, reference: Scored): Interval => {
  const [mine, theirs] = [correctness(model), correctness(reference)];
  const n = mine.length;
  let gained = 0;
  let lost = 0;
  mine.forEach((right, example) => {
    const wasRight = theirs[example] ?? 0;
    if (right > wasRight) gained++;
    if (right < wasRight) lost++;
  });
  const [p, q] = [(gained + 1) / (n + 2), (lost + 1) / (n + 2)];
  const half = Z95 * Math.sqrt((p + q - (p - q) ** 2) / (n + 2));
  return { estimate: (gained - lost) / n, low: Math.max(-1, p - q - half), high: Math.min(1, p - q + half) };
};

/** Median of paired ratios: the robust way to compare two latencies on a machine that swings. */
export const medianRatio = (numerator: readonly number[], denominator: readonly number[]): number =>
  quantile(
    numerator.map((x, i) => x / (denominator[i] ?? Number.NaN)),
    0.5,
  );

/** Linear interpolation between order statistics (type 7 of Hyndman and Fan 1996). */
export const quantile = (values: readonly number[], q: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
};

const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
  return sum / values.length;
};
