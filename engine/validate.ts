import { lengthBatches } from '../data/batches.ts';
import { lengthsOf } from '../data/lengths.ts';
import type { EncodedText } from '../data/tokenize.ts';
import type { ModelInfo } from '../models/model.ts';
import type { HostTensor, Program } from './engine.ts';
import { textFeeds } from './feeds.ts';

/** Texts of one pass: no gradients are kept, so more fit than in training. */
const BATCH = 128;

export interface Validation {
  readonly accuracy: number;
  /** Mean cross-entropy in nats. */
  readonly loss: number;
}

const scoreRow = (row: Float32Array, label: number): { readonly right: boolean; readonly loss: number } => {
  let top = 0;
  for (let c = 1; c < row.length; c++) if ((row[c] ?? 0) > (row[top] ?? 0)) top = c;
  const highest = row[top] ?? 0;
  const sum = row.reduce((total, z) => total + Math.exp(z - highest), 0);
  return { right: top === label, loss: Math.log(sum) + highest - (row[label] ?? 0) };
};

/** Accuracy and loss of the weights as they are, through the evaluation graph. */
export const validate = async (
  program: Program,
  request: {
    readonly info: ModelInfo;
    readonly weights: Readonly<Record<string, HostTensor>>;
    readonly texts: readonly EncodedText[];
    readonly labels: Int32Array;
    readonly signal: AbortSignal;
  },
): Promise<Validation> => {
  const { info, weights, texts, labels, signal } = request;
  const classes = info.labels.length;
  let right = 0;
  let loss = 0;
  for (const batch of lengthBatches(lengthsOf(texts), BATCH)) {
    signal.throwIfAborted();
    const [logits] = Object.values(await program.run({ ...weights, ...textFeeds(info, texts, batch) }));
    if (!(logits?.data instanceof Float32Array)) throw new Error('the model gave no float32 logits');
    const { data } = logits;
    batch.rows.forEach((row, i) => {
      const scored = scoreRow(data.subarray(i * classes, (i + 1) * classes), labels[row] ?? 0);
      right += Number(scored.right);
      loss += scored.loss;
    });
  }
  return { accuracy: right / texts.length, loss: loss / texts.length };
};
