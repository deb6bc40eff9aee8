import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { defaultAdamW } from '../../engine/adamw.ts';
import { MOST_TEXTS } from '../../engine/memory/split.ts';
import { precisions } from '../../engine/precision.ts';
import type { TrainingOptions } from '../../engine/training-options.ts';
import { textTasks } from '../../ground/tasks.ts';
import { augmentOption } from './augment.ts';

const rate = z.number().positive().max(1);
const share = z.number().min(0).max(0.95);

const parts = ['embeddings', 'layers.0', 'layers.0-2', 'head'];

const wantsPart = {
  error: ({ input }: { readonly input?: unknown }) => {
    const near = closest(String(input).toLowerCase(), parts);
    const hint = distance(String(input).toLowerCase(), near) <= 3 ? `; did you mean '${near}'?` : '';
    return `expected a part of the model: embeddings, head, a layer such as layers.0, or layers.0-2; found ${JSON.stringify(input)}${hint}`;
  },
};

const inOrder = (name: string): boolean => {
  const [, from, to] = /^layers\.(\d+)-(\d+)$/.exec(name) ?? [];
  return from === undefined || Number(from) <= Number(to);
};

/** A part of a model in the terms of `decant inspect`. Which layers there are is only known when the stage runs. */
const part = z
  .string(wantsPart)
  .regex(/^(embeddings|head|layers\.\d+(-\d+)?)$/, { ...wantsPart, abort: true })
  .refine(inOrder, {
    error: ({ input }) => `expected layers in rising order, as layers.0-2; found ${JSON.stringify(input)}`,
  });

/** What training on the texts of any data may be for. */
const textTask = z
  .enum(textTasks)
  .optional()
  .describe("train on the data's texts alone, for this task, whatever the data is for; left out, the data's own task");

/** Options that every kind of training has. Learning rates left out are filled in by `trainingOptions`. */
export const trainingConfig = {
  task: textTask,
  epochs: z
    .number()
    .min(0.001)
    .max(1000)
    .default(4)
    .describe('passes over the training texts; a part of one too, such as 0.5'),
  steps: z.int().min(1).optional().describe('ends training after so many updates instead'),
  batch: z.int().min(1).max(MOST_TEXTS).default(64).describe('texts of one pass'),
  accumulate: z
    .int()
    .min(1)
    .max(MOST_TEXTS)
    .default(1)
    .describe('passes of an update: batch: 16 with accumulate: 4 trains the same as batch: 64, in less memory'),
  learningRate: rate
    .optional()
    .describe('highest learning rate; left out, 4e-4 to fine-tune, 1.5e-3 for random weights and for distillation'),
  headLearningRate: rate
    .optional()
    .describe(
      'highest rate of the head, which is all behind the last layer; left out, 7.5 times the other to fine-tune, else the same',
    ),
  freeze: z
    .array(part)
    .default([])
    .describe(
      'parts that stand still: embeddings, layers.0, layers.0-2, head; nothing is computed backwards below the lowest ' +
        'part that moves',
    ),
  layerDecay: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe('rate of each layer relative to the one above it; the last layer and the head have the full rate'),
  schedule: z
    .enum(['linear', 'cosine', 'constant'])
    .default('linear')
    .describe('how the learning rate falls after the warm-up'),
  warmup: z.number().min(0).max(0.9).default(0.06).describe('share of the steps over which the rate rises'),
  weightDecay: z.number().min(0).max(1).default(0.01).describe('decoupled decay; norms and biases have none'),
  betas: z
    .tuple([z.number().min(0).max(0.999999), z.number().min(0).max(0.999999)])
    .default([defaultAdamW.beta1, defaultAdamW.beta2])
    .describe('how slowly the two moments of AdamW move'),
  dropout: share
    .optional()
    .describe('ratio of all dropout; left out, what the model carries, an ONNX file in config.json beside it'),
  tokenDropout: share.default(0).describe('share of tokens replaced by the unknown token'),
  augment: augmentOption,
  labelSmoothing: z
    .number()
    .min(0)
    .max(0.9)
    .optional()
    .describe('share of the target spread over all classes; left out, 0.1, and none over the tokens of a vocabulary'),
  precision: z
    .enum(precisions)
    .default('fp32')
    // What is usual belongs to no key.
    .transform((precision) => (precision === 'fp32' ? undefined : precision))
    .describe(
      'what a step computes in. fp16: float16 where that is enough, on engines and devices that have it; weights, moments and losses stay float32, and the loss is scaled by itself',
    ),
  recompute: z
    .boolean()
    .default(false)
    .transform((recompute) => (recompute ? true : undefined))
    .describe(
      'true: the backward pass computes each layer once more and keeps little of it. Trains the same, in a third of the memory for activations and about a fifth more time; on the CPU',
    ),
  clip: z.number().positive().default(1).describe('largest global norm of the gradient'),
  classWeights: z
    .enum(['none', 'balanced'])
    .default('none')
    .describe(
      'balanced gives rare classes as much say as frequent ones: the loss of a label counts n / (k n_c) times, with n labels of k classes, n_c of them of its own. Where texts have several classes, it weighs a class where a text has it',
    ),
  patience: z
    .int()
    .min(1)
    .optional()
    .describe('early stopping: epochs without a better score on validation texts after which training ends'),
  keep: z.enum(['best', 'last']).default('best').describe('the epoch whose weights are kept'),
  thresholds: z
    .enum(['half', 'fitted'])
    .optional()
    .describe(
      'where texts have several classes: the probability above which each is said. half, or left out: 0.5. fitted: for each class its own, those with the best micro F1 on the validation texts, kept in the model',
    ),
  holdZeros: z
    .boolean()
    .optional()
    .describe(
      'whether zeros stay zeros. Left out, those that a prune stage made; true, also those of a matrix from elsewhere that has 1 % of them or more; false lets all of them go',
    ),
  validationLimit: z.int().min(0).default(2000).describe('validation texts read after each epoch'),
} as const;

/** Every option on its own, for parsing. */
export const everyTraining = z.strictObject(trainingConfig);
export type TrainingConfig = z.infer<typeof everyTraining>;

/** Learning rates of a kind of run where YAML names none. */
export interface DefaultRates {
  readonly learningRate: number;
  readonly headLearningRate?: number;
}

/**
 * Fine-tuning a pretrained encoder: a small rate that keeps what it knows, a large one for the new head. A model from
 * random weights, or one that was cut and learns from a teacher, takes more.
 */
export const defaultRates = {
  fineTune: { learningRate: 4e-4, headLearningRate: 3e-3 },
  scratch: { learningRate: 1.5e-3 },
  distill: { learningRate: 1.5e-3 },
} as const satisfies Record<string, DefaultRates>;

/** The engine's settings from YAML's. The head keeps its ratio where only one rate is given. */
export const trainingOptions = (config: TrainingConfig, rates: DefaultRates): TrainingOptions => {
  const {
    schedule,
    warmup,
    betas,
    task: _,
    classWeights: __,
    labelSmoothing: ___,
    thresholds: ____,
    holdZeros: _____,
    augment: ______,
    learningRate,
    headLearningRate,
    ...same
  } = config;
  const ratio = (rates.headLearningRate ?? rates.learningRate) / rates.learningRate;
  const base = learningRate ?? rates.learningRate;
  return {
    ...same,
    learningRate: base,
    headLearningRate: headLearningRate ?? Math.min(1, base * ratio),
    schedule: { kind: schedule, warmup },
    beta1: betas[0],
    beta2: betas[1],
    epsilon: defaultAdamW.epsilon,
  };
};
