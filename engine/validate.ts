import { type Batch, lengthBatches } from '../data/batches.ts';
import { lengthsOf } from '../data/lengths.ts';
import { bytesOf } from '../graph/tensor.ts';
import { stageError, type UserError } from '../ground/errors.ts';
import { figureOf, isBetter, type Judged, meanOf } from '../ground/metrics/metric.ts';
import { type DatasetTask, dataTask } from '../ground/tasks.ts';
import { nonFinite } from '../models/finite.ts';
import type { Model } from '../models/model.ts';
import { type Answers, answersAbout, placed } from './answers.ts';
import { type Fed, feedsFor, fitted } from './feeds.ts';
import { textsOfPass } from './passes.ts';
import type { Judgement, Task } from './tasks/task.ts';
import type { TrainingExamples } from './training-options.ts';
import type { Evaluation, Since } from './updater.ts';

/** Texts of one pass: no gradients are kept, so more fit than in training. */
export const VALIDATION_BATCH = 128;

/** How many texts of a length are validated at once. */
export const textsOfValidation = (model: Pick<Model, 'graph' | 'info'>): ((length: number) => number) =>
  textsOfPass(model, VALIDATION_BATCH);

export interface Validation {
  /** The task's primary metric. */
  readonly score: number;
  /** Mean loss: cross-entropy in nats, or 1 - cosine. */
  readonly loss: number;
}

/** A metric may be no number, as the correlation of what says the same about everything. */
export const isNumber = ({ score }: Validation): boolean => Number.isFinite(score);

/** Whether a score is above the best so far, by the metric of the task and then by the loss. */
export const isBest = (task: DatasetTask, scored: Validation, best: Validation | null): boolean =>
  isNumber(scored) &&
  (best === null ||
    isBetter(dataTask(task).metric, scored.score, best.score) ||
    (scored.score === best.score && scored.loss < best.loss));

interface ValidationRequest {
  readonly task: Task;
  readonly model: Fed;
  readonly examples: TrainingExamples;
  /** How many texts of a length go through at once. */
  readonly texts: (length: number) => number;
  /** The step that was made last, for messages. */
  readonly after: string;
  readonly signal: AbortSignal;
}

/** An answer that is no number. */
interface Strange {
  readonly answer: number;
  readonly value: number;
  readonly batch: Batch;
  readonly answers: Answers;
}

/** What the model says of a batch: a row of numbers a text or a token. */
const runBatch = async (
  evaluation: Evaluation,
  { model, examples }: ValidationRequest,
  since: Since,
  batch: Batch,
): Promise<{ readonly data: Float32Array; readonly width: number }> => {
  const [said] = Object.values(await evaluation.run(feedsFor(model, examples.encoded, batch), since));
  if (!(said?.data instanceof Float32Array)) throw new Error('the model gave no float32 answers');
  return { data: said.data, width: said.dims.at(-1) ?? 1 };
};

/** An answer that is no number is training's work only where the weights that it began with give one. */
const blameFor = async (evaluation: Evaluation, request: ValidationRequest, alone: Batch): Promise<string> => {
  for (const [name, { dims, data }] of Object.entries(await evaluation.weights('now'))) {
    if (!(data instanceof Float32Array)) continue;
    const weight = nonFinite(name, { dtype: 'float32', dims, bytes: bytesOf(data) });
    if (weight !== undefined) return `${weight}, so the step before that left it so`;
  }
  const { data } = await runBatch(evaluation, request, 'start', alone);
  return data.every(Number.isFinite)
    ? 'with the weights that training began with they are finite, so training moved them too far: lower learningRate, or lengthen warmup'
    : 'with the weights that training began with they are none either: leave that text out, or start from another model';
};

const noNumbers = async (
  evaluation: Evaluation,
  request: ValidationRequest,
  { answer, value, batch, answers }: Strange,
): Promise<UserError> => {
  const { examples, after } = request;
  const text = answers.starts.findLastIndex((start) => start <= answer);
  const blame = await blameFor(evaluation, request, { ...batch, rows: Int32Array.of(text) });
  const called = examples.called?.(text) ?? `validation text ${text + 1}`;
  const message = `after ${after} the model gives ${value} about ${called}; expected finite numbers: ${blame}`;
  return stageError(message, { code: 'diverged' });
};

const columnsOf = (judgements: readonly Judgement[]): Judged['columns'] => {
  const names = Object.keys(judgements[0]?.columns ?? {});
  const column = (name: string): readonly number[] => judgements.flatMap(({ columns }) => columns?.[name] ?? []);
  return Object.fromEntries(names.map((name) => [name, column(name)]));
};

/** Judgements, and the number of the answer of each. */
interface Judgements {
  readonly judgements: readonly Judgement[];
  readonly numbers: readonly number[];
}

/** Answers in the order of the texts, with the text of each. */
const inOrder = ({ judgements, numbers }: Judgements, { starts }: Answers): Judged => {
  const order = Array.from(numbers.keys()).sort((a, b) => (numbers[a] ?? 0) - (numbers[b] ?? 0));
  let text = 0;
  const groups = Int32Array.from(order, (at) => {
    while ((starts[text + 1] ?? Number.POSITIVE_INFINITY) <= (numbers[at] ?? 0)) text++;
    return text;
  });
  const ordered = order.flatMap((at) => judgements[at] ?? []);
  return { count: ordered.length, columns: columnsOf(ordered), groups };
};

/** A metric over judged answers: the mean of their scores, or of what is no mean their columns. */
const scoreOf = ({ task, examples }: ValidationRequest, all: Judgements, answers: Answers): number => {
  const { judgements } = all;
  const metric = dataTask(task.name).metric;
  if (metric.measure.kind !== 'statistic') return meanOf(judgements.map(({ score }) => score));
  return task.together === undefined
    ? figureOf(metric, { count: judgements.length, columns: columnsOf(judgements) })
    : figureOf(metric, task.together(inOrder(all, answers), examples.classes ?? []));
};

/** How good the weights are as they are, through the evaluation graph. */
export const validate = async (evaluation: Evaluation, request: ValidationRequest): Promise<Validation> => {
  const { task, model, examples, signal } = request;
  const answers = answersAbout(examples.encoded);
  const judgements: Judgement[] = [];
  const numbers: number[] = [];
  for (const planned of lengthBatches(lengthsOf(examples.encoded), request.texts)) {
    signal.throwIfAborted();
    const batch = fitted(model, planned);
    const { data, width } = await runBatch(evaluation, request, 'now', batch);
    const strange: { readonly answer: number; readonly value: number }[] = [];
    const { numbers: asked, rows } = placed(answers, batch, model.signature);
    asked.forEach((answer, i) => {
      const row = rows[i] as number;
      const said = data.subarray(row * width, (row + 1) * width);
      const value = said.find((x) => !Number.isFinite(x));
      if (value !== undefined) strange.push({ answer, value });
      judgements.push(task.judge(said, examples, answer));
      numbers.push(answer);
    });
    const [first] = strange;
    if (first !== undefined) throw await noNumbers(evaluation, request, { ...first, batch, answers });
  }
  return {
    score: scoreOf(request, { judgements, numbers }, answers),
    loss: meanOf(judgements.map(({ loss }) => loss)),
  };
};
