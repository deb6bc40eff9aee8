import { type Batch, lengthBatches } from '../data/batches.ts';
import { lengthsOf } from '../data/lengths.ts';
import { bytesOf } from '../graph/tensor.ts';
import { stageError, type UserError } from '../ground/errors.ts';
import { nonFinite } from '../models/finite.ts';
import { type Answers, answerCount, answersAbout, cutAnswers, placed } from './answers.ts';
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

type Weights = Readonly<Record<string, HostTensor>>;

interface ValidationRequest {
  readonly task: Task;
  readonly model: Fed;
  readonly weights: Weights;
  /** Those that training began with. */
  readonly start: Weights;
  readonly examples: TrainingExamples;
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
  program: Program,
  { model, examples }: ValidationRequest,
  weights: Weights,
  batch: Batch,
): Promise<{ readonly data: Float32Array; readonly width: number }> => {
  const [said] = Object.values(await program.run({ ...weights, ...feedsFor(model, examples.encoded, batch) }));
  if (!(said?.data instanceof Float32Array)) throw new Error('the model gave no float32 answers');
  return { data: said.data, width: said.dims.at(-1) ?? 1 };
};

/** An answer that is no number is training's work only where the weights that it began with give one. */
const blameFor = async (program: Program, request: ValidationRequest, alone: Batch): Promise<string> => {
  for (const [name, { dims, data }] of Object.entries(request.weights)) {
    if (!(data instanceof Float32Array)) continue;
    const weight = nonFinite(name, { dtype: 'float32', dims, bytes: bytesOf(data) });
    if (weight !== undefined) return `${weight}, so the step before that left it so`;
  }
  const { data } = await runBatch(program, request, request.start, alone);
  return data.every(Number.isFinite)
    ? 'with the weights that training began with they are finite, so training moved them too far: lower learningRate, or lengthen warmup'
    : 'with the weights that training began with they are none either: leave that text out, or start from another model';
};

const noNumbers = async (
  program: Program,
  request: ValidationRequest,
  { answer, value, batch, answers }: Strange,
): Promise<UserError> => {
  const { examples, after } = request;
  const text = answers.starts.findLastIndex((start) => start <= answer);
  const blame = await blameFor(program, request, { ...batch, rows: Int32Array.of(text) });
  const called = examples.called?.(text) ?? `validation text ${text + 1}`;
  const message = `after ${after} the model gives ${value} about ${called}; expected finite numbers: ${blame}`;
  return stageError(message, { code: 'diverged' });
};

/** How good the weights are as they are, through the evaluation graph. */
export const validate = async (program: Program, request: ValidationRequest): Promise<Validation> => {
  const { task, model, weights, examples, signal } = request;
  const answers = answersAbout(examples.encoded);
  let score = 0;
  let loss = 0;
  for (const planned of lengthBatches(lengthsOf(examples.encoded), BATCH)) {
    signal.throwIfAborted();
    const batch = fitted(model, planned);
    const { data, width } = await runBatch(program, request, weights, batch);
    const strange: { readonly answer: number; readonly value: number }[] = [];
    const { numbers: asked, rows } = placed(answers, batch, model.signature);
    asked.forEach((answer, i) => {
      const row = rows[i] as number;
      const numbers = data.subarray(row * width, (row + 1) * width);
      const value = numbers.find((x) => !Number.isFinite(x));
      if (value !== undefined) strange.push({ answer, value });
      const judged = task.judge(numbers, examples, answer);
      score += judged.score;
      loss += judged.loss;
    });
    const [first] = strange;
    if (first !== undefined) throw await noNumbers(program, request, { ...first, batch, answers });
  }
  const count = answerCount(answers) - cutAnswers(answers);
  return { accuracy: score / count, loss: loss / count };
};
