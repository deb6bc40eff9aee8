import type { Example } from '../../data/dataset.ts';
import type { TrainingTexts } from '../../data/files.ts';
import { lengthsOf } from '../../data/lengths.ts';
import { permutation, stream } from '../../data/random.ts';
import type { EncodedText } from '../../data/tokenize.ts';
import { answersAbout, forEachAnswer } from '../../engine/answers.ts';
import type { Feeds } from '../../engine/engine.ts';
import { textFeeds } from '../../engine/feeds.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import type { ModelInfo } from '../../models/model.ts';

/** Texts of similar length as the model takes them, with the classes of the answers about them. */
export interface Batch {
  readonly texts: number;
  readonly length: number;
  readonly feeds: Feeds; // (batch, sequence) each
  /** Class of each answer, and the row of the output that it stands in. */
  readonly labels: Int32Array;
  readonly rows: Int32Array;
}

/** Texts of a batch at most. */
const BATCH = 32;
/** Tokens of a batch, unless one text has more: what the backward pass keeps grows with them. */
const TOKENS = 256;

/** Where batches of texts that go from short to long begin and end. */
const bounds = function* (lengths: Int32Array): Generator<readonly [number, number]> {
  for (let start = 0, end = 0; start < lengths.length; start = end) {
    end = Math.min(start + BATCH, lengths.length);
    while (end > start + 1 && (end - start) * (lengths[end - 1] ?? 0) > TOKENS) end--;
    yield [start, end];
  }
};

/** Labelled texts in batches of similar length, so that little is padded. Padding is masked and changes no score. */
export const batchesOf = (
  examples: readonly Example[],
  texts: readonly EncodedText[],
  info: ModelInfo,
): readonly Batch[] => {
  const answers = answersAbout(texts);
  const { labelsOf } = taskOf(info.task);
  const known = examples.flatMap((example, i) => labelsOf(example, texts[i] ?? { ids: new Int32Array() }));
  const lengths = lengthsOf(texts);
  const order = Int32Array.from(texts, (_, i) => i).sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  const batches: Batch[] = [];
  for (const [start, end] of bounds(order.map((row) => lengths[row] ?? 0))) {
    const rows = order.subarray(start, end);
    const length = lengths[rows.at(-1) ?? 0] ?? 1;
    const [labels, places]: [number[], number[]] = [[], []];
    forEachAnswer(answers, { rows, length }, (answer, row) => {
      labels.push(known[answer] ?? 0);
      places.push(row);
    });
    batches.push({
      ...{ texts: rows.length, length, feeds: textFeeds(info, texts, { rows, length }) },
      ...{ labels: Int32Array.from(labels), rows: Int32Array.from(places) },
    });
  }
  return batches;
};

/** `count` training texts of those that may have labels, drawn without replacement; all of them where there are fewer. */
export const drawExamples = (texts: TrainingTexts, count: number, seed: number): Promise<readonly Example[]> =>
  texts.pick(permutation(texts.labelled, stream(seed, 'prune', 'examples')).subarray(0, count));
