import { lengthBatches } from '../data/batches.ts';
import { lengthsOf } from '../data/lengths.ts';
import { modelError } from '../ground/errors.ts';
import type { ModelInfo } from '../models/model.ts';
import { answerCount, answersAbout, cutAnswers, forEachAnswer } from './answers.ts';
import type { HostTensor, Program } from './engine.ts';
import { textFeeds } from './feeds.ts';
import { taskOf } from './tasks/index.ts';
import type { TrainingExamples } from './training-options.ts';

/** Texts of one pass: no gradients are kept, so more fit than in training. */
const BATCH = 128;

export interface Validation {
  /** Mean of the task's primary metric: accuracy, or cosine to the teacher. */
  readonly accuracy: number;
  /** Mean loss: cross-entropy in nats, or 1 - cosine. */
  readonly loss: number;
}

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
  const { judge } = taskOf(info.task);
  const answers = answersAbout(examples.texts);
  let score = 0;
  let loss = 0;
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
      const judged = judge(numbers, examples, answer);
      score += judged.score;
      loss += judged.loss;
    });
  }
  const count = answerCount(answers) - cutAnswers(answers);
  return { accuracy: score / count, loss: loss / count };
};
