import { type Dataset, type Example, labelOf } from '../../data/dataset.ts';
import { readDatasetArtifact } from '../../data/files.ts';
import { writePredictions } from '../../data/predictions.ts';
import { blankRows, largestOf, noRows, putRow } from '../../data/rows.ts';
import { type DataTask, dataTask } from '../../ground/tasks.ts';
import type { StageContext, StageRun } from '../stage.ts';
import { answerTime } from './answer-time.ts';
import { denseEffort, fitsDense, spacedTexts, sparseEffort } from './budget.ts';
import { BYTES_A_NUMBER, linearBytes } from './bytes.ts';
import { type Attempts, chooseModel, writeTest } from './choose.ts';
import { learnVectorizer, type Vectorizer } from './features.ts';
import type { Reported } from './index.ts';
import { tagWords } from './lexicon.ts';
import { DenseWeights, type LabelledRows, type Scorer, trainLogistic } from './logistic.ts';
import { predictNumbers } from './numbers.ts';
import { tellSets } from './one-vs-rest.ts';
import { pixelVectorizer, spacedImages } from './pixels.ts';
import { postingsOf, SparseWeights, sparseBytes } from './sparse.ts';

const labelsOf = (examples: readonly Example[]): Int32Array => Int32Array.from(examples, labelOf);

const rowsOf = (vectorizer: Vectorizer, examples: readonly Example[]): LabelledRows => ({
  rows: vectorizer.rows(examples),
  labels: labelsOf(examples),
});

/** Share of rows that are right; `each` sees the scores of every row. */
const rightOf = (
  score: Scorer,
  { rows, labels }: LabelledRows,
  classes: number,
  each: (row: number, scores: Float64Array) => void = () => {},
): number => {
  const scores = new Float64Array(classes);
  let right = 0;
  for (const [row, label] of labels.entries()) {
    score(rows, row, scores);
    right += Number(largestOf(scores) === label);
    each(row, scores);
  }
  return right / Math.max(1, labels.length);
};

/** The class that is most frequent in training, of equally frequent ones the first, and the share of test texts in it. */
const majorityOf = ({ classes, train, test }: Dataset): Reported[string] => {
  const counts = new Int32Array(classes.length);
  for (const label of train.map(labelOf)) counts[label] = (counts[label] ?? 0) + 1;
  const most = counts.reduce((larger, count) => Math.max(larger, count), 0);
  const majority = counts.indexOf(most);
  const score = test.filter(({ target }) => target === majority).length / Math.max(1, test.length);
  return { score, always: majority, bytes: BYTES_A_NUMBER };
};

/** Training texts as rows, with weights that they fit into. */
const prepared = (dataset: Dataset, train: readonly Example[], vectorizer: Vectorizer) => {
  const classes = dataset.classes.length;
  const { features } = vectorizer;
  const training = rowsOf(vectorizer, train);
  if (fitsDense(training, features, classes)) {
    const bytes = linearBytes(features, classes);
    return { training, effort: denseEffort(train.length), bytes, weights: () => new DenseWeights(features, classes) };
  }
  const postings = postingsOf(training, features, classes);
  const effort = sparseEffort(postings, training.rows, train.length);
  const bytes = sparseBytes(postings, classes);
  return { training, effort, bytes, weights: () => new SparseWeights(postings, classes) };
};

/** Answers one text: from the text on, as a deployment would. */
const answering = (vectorizer: Vectorizer, score: Scorer, classes: number): ((text: Example) => number) => {
  const scores = new Float64Array(classes);
  return (text) => {
    score(vectorizer.rows([text]), 0, scores);
    return largestOf(scores);
  };
};

/** What a linear model learns from, and what it is called. */
interface Linear {
  readonly train: readonly Example[];
  readonly vectorizer: Vectorizer;
  readonly called: string;
}

/** Logistic regression over words and pairs of them, and the most frequent class. */
const classifyTexts = async (dataset: Dataset, ctx: StageContext): Promise<Reported> => {
  const train = spacedTexts(dataset.train);
  return classify(dataset, { train, vectorizer: learnVectorizer(train), called: 'linear bag of words' }, ctx);
};

/** The same over the brightness of pixels. */
const classifyImages = async (dataset: Dataset, ctx: StageContext): Promise<Reported> => {
  const train = spacedImages(dataset.train);
  return classify(dataset, { train, vectorizer: pixelVectorizer(train), called: 'linear, of pixels' }, ctx);
};

const classify = async (
  dataset: Dataset,
  { train, vectorizer, called }: Linear,
  ctx: StageContext,
): Promise<Reported> => {
  const { training, effort, bytes, weights } = prepared(dataset, train, vectorizer);
  const classes = dataset.classes.length;
  const validated = rowsOf(vectorizer, dataset.validation);
  const attempts: Attempts = {
    texts: train.length,
    train: (options, between) => trainLogistic(training, weights(), options, between),
    judge: (scorer) => rightOf(scorer, validated, classes),
  };
  const { score, inversePenalty, validation } = await chooseModel(effort, attempts, ctx);
  const test = rowsOf(vectorizer, dataset.test);
  const rows = blankRows(dataset.test.length, classes);
  const keep = (row: number, said: Float64Array) => putRow(rows, row, Float32Array.from(said), test.labels[row]);
  const right = rightOf(score, test, classes, keep);
  await writeTest(ctx, dataset, rows, { width: 1, data: test.labels });
  // What is told beside the score: how it came about.
  const linear = {
    ...{ score: right, called, predicted: true },
    validationScore: validation,
    features: vectorizer.features,
    inversePenalty,
    texts: train.length,
    epochs: effort.epochs,
    weights: effort.dense ? 'all' : 'seen',
    bytes: vectorizer.bytes + bytes,
    ...(await answerTime(dataset.test, answering(vectorizer, score, classes))),
  };
  return { majority: { ...majorityOf(dataset), called: 'majority class' }, linear };
};

/** There is nothing to compare with, or nothing that predicts here. */
const withoutPredictions = async (_: Dataset, ctx: StageContext): Promise<Reported> => {
  await writePredictions(await ctx.output('predictions', 'predictions'), {
    ...{ split: 'test', ids: new Int32Array(), rows: noRows(0) },
  });
  return {};
};

type Compare = (dataset: Dataset, ctx: StageContext) => Promise<Reported>;

const comparedWith: Readonly<Record<NonNullable<DataTask['baseline']> | 'nothing', Compare>> = {
  linear: classifyTexts,
  pixels: classifyImages,
  ridge: predictNumbers,
  // Tokens are a model's: its evaluation counts them.
  frequency: withoutPredictions,
  continuation: withoutPredictions,
  'one-vs-rest': tellSets,
  lexicon: tagWords,
  nothing: withoutPredictions,
};

export const run: StageRun<unknown, Reported> = async ({ dataset: input }, _, ctx) => {
  if (input === undefined) throw new Error('baseline needs a dataset');
  const dataset = await readDatasetArtifact(input.path);
  return comparedWith[dataTask(dataset.task).baseline ?? 'nothing'](dataset, ctx);
};
