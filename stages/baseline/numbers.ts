import { numberTargets } from '../../data/answer-targets.ts';
import { type Dataset, type Example, labelOf } from '../../data/dataset.ts';
import { blankRows, putRow } from '../../data/rows.ts';
import { figureOf, type Judged, type Metric } from '../../ground/metrics/metric.ts';
import { dataTask } from '../../ground/tasks.ts';
import type { StageContext } from '../stage.ts';
import { answerTime } from './answer-time.ts';
import { passesFor, spacedTexts } from './budget.ts';
import { BYTES_A_NUMBER, linearBytes } from './bytes.ts';
import { writeTest } from './choose.ts';
import { learnVectorizer, type Vectorizer } from './features.ts';
import type { Reported } from './index.ts';
import { type LinearFunction, type NumberedRows, ridge, valuesAt } from './ridge.ts';

/** Beside a sum of squares over rows of length 1, from strong to weak: each begins where the one before ended. */
const PENALTIES = [10, 3, 1, 0.3];

const rowsOf = (vectorizer: Vectorizer, examples: readonly Example[]): NumberedRows => ({
  rows: vectorizer.rows(examples),
  numbers: Float64Array.from(examples, labelOf),
});

const judgedOf = (said: Float64Array, truth: Float64Array): Judged => ({
  count: truth.length,
  columns: { said, truth },
});

interface Chosen {
  readonly penalty: number;
  readonly model: LinearFunction;
  readonly error: number;
}

const squaredErrors = (said: Float64Array, truth: Float64Array): number =>
  said.reduce((sum, x, i) => sum + (x - (truth[i] as number)) ** 2, 0);

/** The penalty whose squared error is smallest on validation texts. */
const chooseModel = async (
  training: NumberedRows,
  validation: NumberedRows,
  features: number,
  ctx: StageContext,
): Promise<Chosen> => {
  const iterations = passesFor(training.numbers.length, 2 * PENALTIES.length * training.rows.columns.length);
  let best: Chosen | undefined;
  let start: Float64Array = new Float64Array(features);
  let done = 0;
  const between = (): void => {
    ctx.progress({ done: ++done, total: iterations * PENALTIES.length, unit: 'passes' });
    ctx.signal.throwIfAborted();
  };
  for (const penalty of PENALTIES) {
    const model = await ridge(training, { features, penalty, iterations, start, between });
    const error = squaredErrors(valuesAt(validation.rows, model), validation.numbers);
    if (best === undefined || error < best.error) best = { penalty, model, error };
    start = model.weights;
  }
  if (best === undefined) throw new Error('no penalty was tried');
  return best;
};

/** Figures of what a baseline says; the one that is compared is null where it is no number, as of one that says the same of all. */
const figuresOf = ({ task }: Dataset, said: Float64Array, truth: Float64Array) => {
  const { metric, more } = dataTask(task);
  const figure = (one: Metric): number => figureOf(one, judgedOf(said, truth));
  const score = figure(metric);
  const known = more.map((one) => [one.name, figure(one)] as const).filter(([, value]) => Number.isFinite(value));
  return { score: Number.isFinite(score) ? score : null, more: Object.fromEntries(known) };
};

/** Ridge regression over words and pairs of them, and the mean of the training numbers. */
export const predictNumbers = async (dataset: Dataset, ctx: StageContext): Promise<Reported> => {
  const train = spacedTexts(dataset.train);
  const vectorizer = learnVectorizer(train);
  const { features } = vectorizer;
  const training = rowsOf(vectorizer, train);
  const { model, penalty } = await chooseModel(training, rowsOf(vectorizer, dataset.validation), features, ctx);
  const test = rowsOf(vectorizer, dataset.test);
  const said = valuesAt(test.rows, model);
  const rows = blankRows(dataset.test.length, 1);
  said.forEach((number, row) => {
    putRow(rows, row, Float32Array.of(number));
  });
  await writeTest(ctx, dataset, rows, numberTargets(test.numbers));
  const mean = training.numbers.reduce((sum, x) => sum + x, 0) / training.numbers.length;
  const constant = figuresOf(dataset, new Float64Array(test.numbers.length).fill(mean), test.numbers);
  const linear = { ...figuresOf(dataset, said, test.numbers), features, penalty, texts: train.length };
  return {
    mean: { ...constant, called: 'mean of the training texts', bytes: BYTES_A_NUMBER },
    ridge: {
      ...linear,
      ...{ called: 'ridge on a bag of words', predicted: true },
      bytes: vectorizer.bytes + linearBytes(features, 1),
      ...(await answerTime(dataset.test, (text) => valuesAt(vectorizer.rows([text]), model))),
    },
  };
};
