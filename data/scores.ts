/**
 * What a model says about many examples. With few classes every logit is kept; with many only the largest of each row, as
 * log-probabilities, and the rest of the probability is spread evenly over the other classes: what a tagger of 472 classes
 * says of a million words would be two gigabytes.
 */
export interface Scores {
  readonly classes: number;
  readonly columns: number;
  /** (rows, columns): logits of all classes, or log-probabilities of the classes that `kept` names. */
  readonly logits: Float32Array;
  /** (rows, columns): classes of the columns, the most probable first; left out where all classes are there. */
  readonly kept?: Uint16Array;
}

/** With more classes than this only the largest scores are kept. */
const MOST_WHOLE_CLASSES = 128;

/**
 * Of a teacher of 472 tags, trained with label smoothing, the divergence of what is kept from what was said is 0.005 nats
 * (16 classes: 0.009, 64: 0.003), at a temperature of 2 0.024 nats, in a tenth of the bytes.
 */
const KEPT_CLASSES = 32;

/** Columns that scores over so many classes have. */
export const columnsFor = (classes: number): number => (classes > MOST_WHOLE_CLASSES ? KEPT_CLASSES : classes);

/** Scores of rows before anything is said: every class is as probable as any other. */
export const blankScores = (rows: number, classes: number, columns = columnsFor(classes)): Scores => {
  const logits = new Float32Array(rows * columns);
  if (columns === classes) return { classes, columns, logits };
  const kept = Uint16Array.from({ length: rows * columns }, (_, at) => at % columns);
  return { classes, columns, logits: logits.fill(-Math.log(classes)), kept };
};

/** Whether nothing was said of a row. A model that was asked would have to give equal scores to the last bit. */
export const isBlank = ({ columns, logits }: Scores, row: number): boolean => {
  for (let at = row * columns + 1; at < (row + 1) * columns; at++)
    if (logits[at] !== logits[row * columns]) return false;
  return true;
};

/** What taken away from logits makes them log-probabilities. */
export const logSumExp = (logits: Float32Array): number => {
  let peak = Number.NEGATIVE_INFINITY;
  for (const logit of logits) peak = Math.max(peak, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - peak);
  return peak + Math.log(sum);
};

/** Fills `into` with the classes of the largest logits in falling order, the first of equal ones first. */
const chooseLargest = (logits: Float32Array, into: Uint16Array): void => {
  let filled = 0;
  for (let c = 0; c < logits.length; c++) {
    const logit = logits[c] as number;
    if (filled === into.length && logit <= (logits[into[filled - 1] as number] as number)) continue;
    let at = filled < into.length ? filled++ : filled - 1;
    for (; at > 0 && (logits[into[at - 1] as number] as number) < logit; at--) into[at] = into[at - 1] as number;
    into[at] = c;
  }
};

/** Keeps the logits of one row. `always` is a class that is kept whatever its logit: the true one, whose loss is wanted. */
export const putScores = ({ columns, logits: all, kept }: Scores, row: number, logits: Float32Array, always = -1) => {
  if (kept === undefined) {
    all.set(logits, row * columns);
    return;
  }
  const chosen = kept.subarray(row * columns, (row + 1) * columns);
  chooseLargest(logits, chosen);
  if (always >= 0 && !chosen.includes(always)) chosen[columns - 1] = always;
  const total = logSumExp(logits);
  for (let i = 0; i < columns; i++) all[row * columns + i] = (logits[chosen[i] as number] as number) - total;
};

/** A rest below this is rounding of float32. */
const LEAST_REST = 1e-9;

/** log-probability of each class that a row does not name: what its classes leave over, in equal parts. */
const restOf = (logProbabilities: Float32Array, classes: number): number => {
  let named = 0;
  for (const logProbability of logProbabilities) named += Math.exp(logProbability);
  return Math.log(Math.max(LEAST_REST, 1 - named) / Math.max(1, classes - logProbabilities.length));
};

/** Writes the scores of one row over all classes into `into`. */
export const spreadScores = (
  { classes, columns, logits, kept }: Scores,
  row: number,
  into: Float32Array | Float64Array,
): void => {
  const own = logits.subarray(row * columns, (row + 1) * columns);
  if (kept === undefined) {
    into.set(own);
    return;
  }
  into.fill(restOf(own, classes));
  for (let i = 0; i < columns; i++) into[kept[row * columns + i] as number] = own[i] as number;
};
