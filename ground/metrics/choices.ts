import { column, type Judged, meanOf, type Times } from './metric.ts';
import { f1Of } from './sets.ts';

const largestOf = (values: ArrayLike<number>): number => {
  let largest = -1;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i] as number);
  return largest;
};

/** Macro F1 of choices of one class each; a choice of no class (-1) claims none. */
export const macroF1OfChoices = (judged: Judged, times?: Times): number => {
  const [chosen, labels] = [column(judged, 'chosen'), column(judged, 'label')];
  const classes = 1 + Math.max(largestOf(chosen), largestOf(labels));
  const counts = { hits: new Float64Array(classes), said: new Float64Array(classes), true: new Float64Array(classes) };
  const add = (to: Float64Array, c: number, n: number): void => {
    if (c >= 0) to[c] = (to[c] as number) + n;
  };
  for (let answer = 0; answer < judged.count; answer++) {
    const [choice, label, n] = [chosen[answer] as number, labels[answer] as number, times?.[answer] ?? 1];
    add(counts.said, choice, n);
    add(counts.true, label, n);
    if (choice === label) add(counts.hits, label, n);
  }
  return f1Of(counts).macro;
};

const BINS = 15;

/**
 * Expected calibration error (Naeini et al. 2015; Guo et al. 2017, arXiv 1706.04599): examples are binned by the
 * probability of the predicted class, in 15 bins of equal width, and the gaps between a bin's share of right answers and
 * its mean probability are averaged, each weighing as much as it holds examples. 0 to 1.
 */
export const calibrationErrorOf = (judged: Judged, times?: Times): number => {
  const [right, confidence] = [column(judged, 'right'), column(judged, 'confidence')];
  const [hits, claimed] = [new Float64Array(BINS), new Float64Array(BINS)];
  let count = 0;
  for (let answer = 0; answer < judged.count; answer++) {
    const n = times?.[answer] ?? 1;
    const believed = confidence[answer] as number;
    // Bins are open below and closed above, as in the papers.
    const bin = Math.min(BINS - 1, Math.max(0, Math.ceil(believed * BINS) - 1));
    hits[bin] = (hits[bin] as number) + n * (right[answer] as number);
    claimed[bin] = (claimed[bin] as number) + n * believed;
    count += n;
  }
  return hits.reduce((sum, hit, bin) => sum + Math.abs(hit - (claimed[bin] as number)), 0) / count;
};

/** exp of the mean surprise: how many equally probable classes would surprise as much. */
export const perplexityOf = (judged: Judged, times?: Times): number => Math.exp(meanOf(column(judged, 'nats'), times));

/** Bits of surprise at all tokens over the bytes of their texts, which stand in the column of one token each. */
export const bitsPerByteOf = (judged: Judged, times?: Times): number => {
  const [nats, bytes] = [column(judged, 'nats'), column(judged, 'bytes')];
  let [surprise, size] = [0, 0];
  for (let answer = 0; answer < judged.count; answer++) {
    const n = times?.[answer] ?? 1;
    surprise += n * (nats[answer] as number);
    size += n * (bytes[answer] as number);
  }
  return surprise / Math.LN2 / size;
};
