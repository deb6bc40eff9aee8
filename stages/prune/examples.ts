import type { Example } from '../../data/dataset.ts';
import type { TrainingTexts } from '../../data/files.ts';
import { lengthsOf } from '../../data/lengths.ts';
import { permutation, stream } from '../../data/random.ts';
import { answersAbout } from '../../engine/answers.ts';
import type { Feeds } from '../../engine/engine.ts';
import { type Fed, feedsFor, fitted } from '../../engine/feeds.ts';
import { type StepBatch, stepBatch, type UpdateSize } from '../../engine/step-batch.ts';
import type { TrainingExamples } from '../../engine/training-options.ts';
import { MEASURED_TOGETHER, measuringPass } from './pass.ts';

/** Texts of similar length as the model takes them, and what a loss may be fed of them. */
export interface Batch {
  readonly texts: number;
  readonly feeds: Feeds;
  /** Every answer weighs 1: losses are sums. */
  readonly step: StepBatch;
}

/** Where batches of texts that go from short to long begin and end. */
const bounds = function* (lengths: Int32Array, most: number): Generator<readonly [number, number]> {
  for (let start = 0, end = 0; start < lengths.length; start = end) {
    end = Math.min(start + most, lengths.length);
    while (end > start + measuringPass(lengths[end - 1] ?? 0)) end--;
    yield [start, end];
  }
};

const one: UpdateSize = { answers: 1, tokens: 1 };

/** Labelled texts in batches of similar length, so that little is padded. Padding is masked and changes no score. */
export const batchesOf = (
  { encoded, targets }: TrainingExamples,
  model: Fed,
  most: number = MEASURED_TOGETHER,
): readonly Batch[] => {
  const answers = answersAbout(encoded);
  const lengths = lengthsOf(encoded);
  const order = Int32Array.from(encoded, (_, i) => i).sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  const batches: Batch[] = [];
  for (const [start, end] of bounds(
    order.map((row) => lengths[row] ?? 0),
    most,
  )) {
    const rows = order.subarray(start, end);
    const batch = fitted(model, { rows, length: lengths[rows.at(-1) ?? 0] ?? 1 });
    batches.push({
      ...{ texts: rows.length, feeds: feedsFor(model, encoded, batch) },
      step: stepBatch({ model, answers, targets }, batch, one),
    });
  }
  return batches;
};

/** `count` training texts of those that may have labels, drawn without replacement; all of them where there are fewer. */
export const drawExamples = (texts: TrainingTexts, count: number, seed: number): Promise<readonly Example[]> =>
  texts.pick(permutation(texts.labelled, stream(seed, 'prune', 'examples')).subarray(0, count));

/** Texts that judge cuts: no more than a quarter, so that enough are left to learn importance from. */
export const judgingCount = ({ labelled }: TrainingTexts, count: number): number =>
  Math.min(count, Math.max(1, Math.floor(labelled / 4)));

/** Texts that `drawExamples` reaches last. */
export const drawJudging = (texts: TrainingTexts, count: number, seed: number): Promise<readonly Example[]> =>
  texts.pick(
    permutation(texts.labelled, stream(seed, 'prune', 'examples')).subarray(
      texts.labelled - judgingCount(texts, count),
    ),
  );
