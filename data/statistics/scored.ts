import type { Predictions } from '../predictions.ts';
import { spreadRow } from '../rows.ts';

/** Scores of one model on labelled examples: logits (examples x classes, row-major) and the true class of each. */
export interface Scored {
  readonly classes: number;
  readonly labels: Int32Array;
  readonly logits: Float32Array;
  /** Classes of the columns of `logits` where only the largest were kept: see data/rows.ts. */
  readonly kept?: Uint32Array;
  /** 1 where the model never answered: it is wrong there, and every class as probable as any other. */
  readonly unread?: Uint8Array;
  /** Which examples are words of one text; without it examples are independent of each other. */
  readonly groups?: Int32Array;
}

/** Choices of classes as a stage left them. */
export const scoredOf = ({ rows, targets, groups }: Predictions): Scored => ({
  ...{ classes: rows.width, labels: Int32Array.from(targets?.data ?? []), logits: rows.data, unread: rows.unread },
  ...(rows.kept === undefined ? {} : { kept: rows.kept }),
  ...(groups === undefined ? {} : { groups }),
});

const columnsOf = ({ logits, labels }: Scored): number => logits.length / Math.max(1, labels.length);

const isUnread = ({ unread }: Scored, example: number): boolean => unread !== undefined && unread[example] === 1;

/** The class with the largest logit, the first one on ties; -1 where there is no answer. */
const predictedClass = (scored: Scored, example: number): number => {
  const { logits, classes, kept } = scored;
  if (isUnread(scored, example)) return -1;
  if (kept !== undefined) return kept[example * columnsOf(scored)] ?? 0;
  let best = 0;
  for (let c = 1; c < classes; c++) {
    if ((logits[example * classes + c] ?? 0) > (logits[example * classes + best] ?? 0)) best = c;
  }
  return best;
};

/** Every figure of a model reads its predictions: they are found once. */
const predicted = new WeakMap<Scored, Int32Array>();

/** The predicted class of every example, -1 of one that was not read. Not to be written into. */
export const predictions = (scored: Scored): Int32Array => {
  const known = predicted.get(scored);
  if (known !== undefined) return known;
  const found = new Int32Array(scored.labels.length);
  for (let example = 0; example < found.length; example++) found[example] = predictedClass(scored, example);
  predicted.set(scored, found);
  return found;
};

/** 1 where a model is right, 0 elsewhere. */
export const correctness = (scored: Scored): Uint8Array => {
  const classes = predictions(scored);
  const right = new Uint8Array(classes.length);
  for (let example = 0; example < right.length; example++) {
    right[example] = classes[example] === scored.labels[example] ? 1 : 0;
  }
  return right;
};

/** (examples, classes) log softmax, written without allocating a row: thousands of rows are computed at a time. */
const logSoftmax = (logits: Float32Array, classes: number): Float64Array => {
  const rows = Float64Array.from(logits);
  for (let start = 0; start < rows.length; start += classes) {
    const row = rows.subarray(start, start + classes);
    let peak = Number.NEGATIVE_INFINITY;
    for (const x of row) peak = Math.max(peak, x);
    let sum = 0;
    for (const x of row) sum += Math.exp(x - peak);
    const norm = peak + Math.log(sum);
    for (let c = 0; c < row.length; c++) row[c] = (row[c] ?? 0) - norm;
  }
  return rows;
};

/** Loss, calibration and every comparison of a model read the same rows. */
const known = new WeakMap<Float32Array, Float64Array>();

/** log softmax of one row, in nats. */
export const logProbabilities = (scored: Scored, example: number): Float64Array => {
  const { logits, classes, kept } = scored;
  if (isUnread(scored, example)) return new Float64Array(classes).fill(-Math.log(classes));
  if (kept !== undefined) {
    const row = new Float64Array(classes);
    spreadRow({ width: classes, columns: columnsOf(scored), data: logits, kept }, example, row);
    return row;
  }
  const rows = known.get(logits) ?? logSoftmax(logits, classes);
  known.set(logits, rows);
  return rows.subarray(example * classes, (example + 1) * classes);
};

/** log softmax of one class; of many classes the kept ones are told without a row of all. */
export const logProbability = (scored: Scored, example: number, label: number): number => {
  const { kept, logits } = scored;
  const columns = columnsOf(scored);
  const at = kept?.subarray(example * columns, (example + 1) * columns).indexOf(label) ?? -1;
  if (at >= 0 && !isUnread(scored, example)) return logits[example * columns + at] ?? 0;
  return logProbabilities(scored, example)[label] ?? 0;
};

export const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
  return sum / values.length;
};
