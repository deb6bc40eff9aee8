import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { type Dataset, type Example, labelledExamples } from '../../data/dataset.ts';
import { readDatasetArtifact } from '../../data/files.ts';
import { writePredictions } from '../../data/predictions.ts';
import { defineStage, type Metrics, type StageContext } from '../stage.ts';
import { learnVectorizer, type Vectorizer } from './features.ts';
import { tagWords } from './lexicon.ts';
import { type LabelledRows, type Scorer, trainLogistic } from './logistic.ts';

/** Penalties to choose from, as the inverse of penalty times texts (scikit-learn's C). */
const INVERSE_PENALTIES = [10, 100, 1000];

/** Few texts need more passes; many are learned in a few. */
const epochsFor = (texts: number): number => Math.min(30, Math.max(6, Math.round(100_000 / texts)));

const labelsOf = (examples: readonly Example[]): Int32Array =>
  Int32Array.from(labelledExamples(examples), ({ label }) => label);

const rowsOf = (vectorizer: Vectorizer, examples: readonly Example[]): LabelledRows => ({
  rows: vectorizer.rows(examples),
  labels: labelsOf(examples),
});

const largestIn = (scores: Float32Array, start: number, end: number): number => {
  let best = start;
  for (let at = start + 1; at < end; at++) if ((scores[at] ?? 0) > (scores[best] ?? 0)) best = at;
  return best - start;
};

const accuracyOf = (scores: Float32Array, labels: Int32Array, classes: number): number => {
  const right = labels.filter((label, i) => largestIn(scores, i * classes, (i + 1) * classes) === label);
  return right.length / Math.max(1, labels.length);
};

/** Share of test texts in the class that is most frequent in training; of equally frequent ones the first. */
const majorityAccuracy = ({ classes, train, test }: Dataset): number => {
  const counts = new Int32Array(classes.length);
  for (const { label } of labelledExamples(train)) counts[label] = (counts[label] ?? 0) + 1;
  const majority = counts.indexOf(Math.max(...counts));
  return test.filter(({ label }) => label === majority).length / Math.max(1, test.length);
};

interface Chosen {
  readonly score: Scorer;
  readonly inversePenalty: number;
  readonly validation: number;
}

/** Trains one model a penalty and keeps the one that is most accurate on validation; of equal ones the simplest. */
const chooseModel = async (dataset: Dataset, vectorizer: Vectorizer, ctx: StageContext): Promise<Chosen> => {
  const classes = dataset.classes.length;
  const training = rowsOf(vectorizer, dataset.train);
  const validation = rowsOf(vectorizer, dataset.validation);
  const texts = dataset.train.length;
  const epochs = epochsFor(texts);
  const total = epochs * INVERSE_PENALTIES.length;
  let done = 0;
  const between = async (): Promise<void> => {
    ctx.progress({ done: ++done, total, unit: 'epochs' });
    await setImmediate();
    ctx.signal.throwIfAborted();
  };
  let best: Chosen | undefined;
  for (const inversePenalty of INVERSE_PENALTIES) {
    const penalty = 1 / (inversePenalty * texts);
    const options = { features: vectorizer.features, classes, penalty, epochs };
    const score = await trainLogistic(training, options, between);
    const accuracy = accuracyOf(score(validation.rows), validation.labels, classes);
    if (best === undefined || accuracy > best.validation) best = { score, inversePenalty, validation: accuracy };
  }
  if (best === undefined) throw new Error('no penalty was tried');
  return best;
};

/** Logistic regression over words and pairs of them, and the most frequent class. */
const classifyTexts = async (dataset: Dataset, ctx: StageContext): Promise<Metrics> => {
  const vectorizer = learnVectorizer(dataset.train);
  const { score, inversePenalty, validation } = await chooseModel(dataset, vectorizer, ctx);
  const test = rowsOf(vectorizer, dataset.test);
  const logits = score(test.rows);
  const classes = dataset.classes.length;
  await writePredictions(await ctx.output('predictions', 'predictions'), {
    split: 'test',
    classes,
    ids: Int32Array.from(dataset.test, ({ id }) => id),
    labels: test.labels,
    logits,
  });
  return {
    majority: { accuracy: majorityAccuracy(dataset) },
    linear: {
      accuracy: accuracyOf(logits, test.labels, classes),
      validationAccuracy: validation,
      features: vectorizer.features,
      inversePenalty,
    },
  };
};

/** Baselines of the other tasks leave no predictions that anything reads. */
const withoutPredictions = async (metrics: Metrics, ctx: StageContext): Promise<Metrics> => {
  await writePredictions(await ctx.output('predictions', 'predictions'), {
    ...{ split: 'test', classes: 0, ids: new Int32Array(), labels: new Int32Array(), logits: new Float32Array() },
  });
  return metrics;
};

/**
 * What a reader compares the Transformer with, on the same labels and the same test split: the most frequent class, and
 * logistic regression for texts or a lexicon for words. Vectors have nothing to be compared with but their teacher.
 */
export const baseline = defineStage({
  uses: 'baseline',
  version: 1,
  summary: 'Majority class, and a linear bag-of-words model or a lexicon of words, on the same split.',
  config: z.strictObject({}),
  internal: true,
  makes: 'predictions',
  draws: false,
  environment: 'none',
  from: [],
  wire: (_, wiring) => ({ dataset: wiring.dataset() }),
  run: async ({ dataset: input }, _, ctx) => {
    if (input === undefined) throw new Error('baseline needs a dataset');
    const dataset = await readDatasetArtifact(input.path);
    switch (dataset.task) {
      case 'text-classification':
        return classifyTexts(dataset, ctx);
      case 'token-classification':
        return withoutPredictions({ ...tagWords(dataset) }, ctx);
      case 'features':
        return withoutPredictions({}, ctx);
    }
  },
});
