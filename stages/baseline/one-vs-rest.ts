import { setTargets } from '../../data/answer-targets.ts';
import type { Dataset, Example } from '../../data/dataset.ts';
import { blankRows, putRow } from '../../data/rows.ts';
import { probabilityOf, saidOf } from '../../data/sets.ts';
import { figureOf, type Judged } from '../../ground/metrics/metric.ts';
import { dataTask } from '../../ground/tasks.ts';
import type { StageContext } from '../stage.ts';
import { answerTime } from './answer-time.ts';
import { denseEffort, fitsDense } from './budget.ts';
import { BYTES_A_NUMBER, linearBytes } from './bytes.ts';
import { type Attempts, chooseModel, writeTest } from './choose.ts';
import { learnVectorizer, type SparseRows, type Vectorizer } from './features.ts';
import type { Reported } from './index.ts';
import { DenseWeights, type Scorer, trainLogistic } from './logistic.ts';

const setsOf = (examples: readonly Example[], classes: number): Int32Array => setTargets(examples, classes).data;

/** sigmoid(z) - y of each class by itself, where the label of a row is its number. */
const apart =
  (sets: Int32Array, classes: number) =>
  (scores: Float64Array, row: number): void => {
    for (let c = 0; c < classes; c++) {
      scores[c] = probabilityOf(scores[c] as number) - (sets[row * classes + c] as number);
    }
  };

const judgedBy = (truth: Int32Array, said: ArrayLike<number>, count: number): Judged => ({
  count,
  columns: { said, truth },
});

/** The set that most texts have, said of every text; of equally frequent ones the first. */
const mostFrequent = (sets: Int32Array, classes: number): Int32Array => {
  const counts = new Map<string, number>();
  for (let at = 0; at < sets.length; at += classes) {
    const key = sets.subarray(at, at + classes).join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const [[most] = ['']] = [...counts].sort(([, a], [, b]) => b - a);
  return Int32Array.from(most.split(','), Number);
};

interface Prepared {
  readonly vectorizer: Vectorizer;
  readonly train: readonly Example[];
  readonly rows: SparseRows;
}

/** Every n-th training text where weights of all terms for all classes would be too many. */
const prepared = (dataset: Dataset, step = 1): Prepared => {
  const train = dataset.train.filter((_, i) => i % step === 0);
  const vectorizer = learnVectorizer(train);
  const rows = vectorizer.rows(train);
  const labels = new Int32Array(train.length);
  const fits = fitsDense({ rows, labels }, vectorizer.features, dataset.classes.length);
  return fits || train.length < 2 ? { vectorizer, train, rows } : prepared(dataset, 2 * step);
};

/** Logits of every row. */
const scoredRows = (score: Scorer, rows: SparseRows, classes: number): Float32Array => {
  const count = rows.offsets.length - 1;
  const scores = new Float64Array(classes);
  const all = new Float32Array(count * classes);
  for (let row = 0; row < count; row++) {
    score(rows, row, scores);
    all.set(scores, row * classes);
  }
  return all;
};

/** One model of every class a penalty, judged by the metric of the task. */
const attemptsOf = ({ task, validation, classes: { length: classes } }: Dataset, work: Prepared): Attempts => {
  const { vectorizer, train, rows } = work;
  const { metric } = dataTask(task);
  const gradient = apart(setsOf(train, classes), classes);
  const labels = Int32Array.from(train, (_, i) => i);
  const validated = vectorizer.rows(validation);
  const truth = setsOf(validation, classes);
  return {
    texts: train.length,
    train: (options, between) =>
      trainLogistic({ rows, labels }, new DenseWeights(vectorizer.features, classes, gradient), options, between),
    judge: (score) =>
      figureOf(metric, judgedBy(truth, saidOf(scoredRows(score, validated, classes)), validation.length)),
  };
};

/** Logistic regression of every class against the rest over words and pairs of them, and the most frequent set of classes. */
export const tellSets = async (dataset: Dataset, ctx: StageContext): Promise<Reported> => {
  const { metric } = dataTask(dataset.task);
  const classes = dataset.classes.length;
  const count = dataset.test.length;
  const work = prepared(dataset);
  const { vectorizer, train } = work;
  const effort = denseEffort(train.length);
  const { score, inversePenalty, validation } = await chooseModel(effort, attemptsOf(dataset, work), ctx);
  const truth = setsOf(dataset.test, classes);
  const logits = scoredRows(score, vectorizer.rows(dataset.test), classes);
  const rows = blankRows(count, classes, classes);
  for (let row = 0; row < count; row++) putRow(rows, row, logits.subarray(row * classes, (row + 1) * classes));
  await writeTest(ctx, dataset, rows, { width: classes, data: truth });
  const most = mostFrequent(setsOf(dataset.train, classes), classes);
  const everywhere = Int32Array.from(truth, (_, at) => most[at % classes] ?? 0);
  const always = [...most.keys()].filter((c) => most[c] === 1);
  const answer = (text: Example) => saidOf(scoredRows(score, vectorizer.rows([text]), classes));
  return {
    majority: {
      ...{ score: figureOf(metric, judgedBy(truth, everywhere, count)), called: 'most frequent answer' },
      ...{ always, bytes: BYTES_A_NUMBER * always.length },
    },
    linear: {
      ...{ score: figureOf(metric, judgedBy(truth, saidOf(logits), count)), called: 'linear bag of words' },
      predicted: true,
      ...{ validationScore: validation, features: vectorizer.features, inversePenalty },
      ...{ texts: train.length, epochs: effort.epochs },
      bytes: vectorizer.bytes + linearBytes(vectorizer.features, classes),
      ...(await answerTime(dataset.test, answer)),
    },
  };
};
