import { lengthBatches } from '../data/batches.ts';
import { lengthsOf } from '../data/lengths.ts';
import { modelError } from '../ground/errors.ts';
import { answerCount, answersAbout, cutAnswers, placed } from './answers.ts';
import type { HostTensor, Program } from './engine.ts';
import { type Fed, feedsFor, fitted } from './feeds.ts';
import type { Task } from './tasks/task.ts';
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
    readonly task: Task;
    readonly model: Fed;
    readonly weights: Readonly<Record<string, HostTensor>>;
    readonly examples: TrainingExamples;
    readonly signal: AbortSignal;
  },
): Promise<Validation> => {
  const { task, model, weights, examples, signal } = request;
  const answers = answersAbout(examples.encoded);
  let score = 0;
  let loss = 0;
  for (const planned of lengthBatches(lengthsOf(examples.encoded), BATCH)) {
    signal.throwIfAborted();
    const batch = fitted(model, planned);
    const [said] = Object.values(await program.run({ ...weights, ...feedsFor(model, examples.encoded, batch) }));
    if (!(said?.data instanceof Float32Array)) throw new Error('the model gave no float32 answers');
    const { data } = said;
    const width = said.dims.at(-1) ?? 1;
    const { numbers: asked, rows } = placed(answers, batch, model.signature);
    asked.forEach((answer, i) => {
      const row = rows[i] as number;
      const numbers = data.subarray(row * width, (row + 1) * width);
      if (numbers.some(Number.isNaN)) {
        throw modelError(
          `the model gives NaN for answer ${answer + 1} about the validation texts; expected finite numbers`,
        );
      }
      const judged = task.judge(numbers, examples, answer);
      score += judged.score;
      loss += judged.loss;
    });
  }
  const count = answerCount(answers) - cutAnswers(answers);
  return { accuracy: score / count, loss: loss / count };
};
