import { lengthBatches } from '../data/batches.ts';
import { lengthsOf } from '../data/lengths.ts';
import { modelError } from '../ground/errors.ts';
import type { Metric } from '../ground/metrics/index.ts';
import { figureOf, type Judged, meanOf } from '../ground/metrics/metric.ts';
import { dataTask } from '../ground/tasks.ts';
import type { ModelInfo } from '../models/model.ts';
import { answersAbout, forEachAnswer } from './answers.ts';
import type { HostTensor, Program } from './engine.ts';
import { textFeeds } from './feeds.ts';
import { taskOf } from './tasks/index.ts';
import type { Judgement } from './tasks/task.ts';
import type { TrainingExamples } from './training-options.ts';

/** Texts of one pass: no gradients are kept, so more fit than in training. */
const BATCH = 128;

export interface Validation {
  /** The task's primary metric. */
  readonly score: number;
  /** Mean loss: cross-entropy in nats, or 1 - cosine. */
  readonly loss: number;
}

const columnsOf = (judgements: readonly Judgement[]): Judged['columns'] => {
  const names = Object.keys(judgements[0]?.columns ?? {});
  const column = (name: string): readonly number[] => judgements.flatMap(({ columns }) => columns?.[name] ?? []);
  return Object.fromEntries(names.map((name) => [name, column(name)]));
};

/** A metric over judged answers: the mean of their scores, or of what is no mean their columns. */
export const scoreOf = (metric: Metric, judgements: readonly Judgement[]): number =>
  metric.measure.kind === 'statistic'
    ? figureOf(metric, { count: judgements.length, columns: columnsOf(judgements) })
    : meanOf(judgements.map(({ score }) => score));

/** How good the weights are as they are, through the evaluation graph. */
export const validate = async (
  program: Program,
  request: {
    readonly info: ModelInfo;
    readonly weights: Readonly<Record<string, HostTensor>>;
    readonly examples: TrainingExamples;
    readonly signal: AbortSignal;
  },
): Promise<Validation> => {
  const { info, weights, examples, signal } = request;
  const { judge, name } = taskOf(info.task);
  const answers = answersAbout(examples.texts);
  const judgements: Judgement[] = [];
  for (const batch of lengthBatches(lengthsOf(examples.texts), BATCH)) {
    signal.throwIfAborted();
    const [said] = Object.values(await program.run({ ...weights, ...textFeeds(info, examples.texts, batch) }));
    if (!(said?.data instanceof Float32Array)) throw new Error('the model gave no float32 answers');
    const { data } = said;
    const width = said.dims.at(-1) ?? 1;
    forEachAnswer(answers, batch, (answer, row) => {
      const numbers = data.subarray(row * width, (row + 1) * width);
      if (numbers.some(Number.isNaN)) {
        throw modelError(
          `the model gives NaN for answer ${answer + 1} about the validation texts; expected finite numbers`,
        );
      }
      judgements.push(judge(numbers, examples, answer));
    });
  }
  return { score: scoreOf(dataTask(name).metric, judgements), loss: meanOf(judgements.map(({ loss }) => loss)) };
};
