import { idTargets, unknownTargets } from '../../data/answer-targets.ts';
import { stream } from '../../data/random.ts';
import { defaultAdamW } from '../../engine/adamw.ts';
import { encodedText } from '../../engine/encoded.ts';
import type { Engine } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { crossEntropy } from '../../engine/losses/index.ts';
import { predict } from '../../engine/predict.ts';
import { textClassification } from '../../engine/tasks/classification.ts';
import { train } from '../../engine/train.ts';
import type { TrainRequest } from '../../engine/train-request.ts';
import type { TrainingExamples } from '../../engine/training-options.ts';
import { noCheckpoints } from '../../ground/checkpoints.ts';
import { buildEncoder } from '../../models/encoder.ts';
import type { Model } from '../../models/model.ts';

const LABELS = ['a', 'b', 'c', 'd'];
const SHAPE = { vocabulary: 200, hidden: 64, layers: 2, heads: 4, ffn: 128, maxLength: 16 };
const UPDATES = 3;
const BATCH = 8;

/** How far the answers of two models may be apart that two engines trained from the same weights. */
export const PROVED = 1e-3;

const texts = (): TrainingExamples => {
  const random = stream(1, 'proof');
  const encoded = Array.from({ length: UPDATES * BATCH }, () =>
    encodedText({ ids: Int32Array.from({ length: 4 + random.integer(12) }, () => random.integer(SHAPE.vocabulary)) }),
  );
  return { encoded, targets: idTargets(encoded.map(() => random.integer(LABELS.length))) };
};

const model = (): Model =>
  buildEncoder(
    {
      ...SHAPE,
      norm: 'pre',
      activation: 'gelu',
      pooling: 'mean',
      labels: LABELS,
      dropout: 0.1,
      tokens: { padding: 1, unknown: 0 },
    },
    {},
    1,
  );

const request = (engine: Engine, signal: AbortSignal): TrainRequest => ({
  model: model(),
  task: textClassification,
  examples: texts(),
  validation: { encoded: [], targets: unknownTargets(0) },
  options: {
    ...defaultAdamW,
    ...{ epochs: 1, steps: UPDATES, batch: BATCH, accumulate: 1, learningRate: 1e-3, headLearningRate: 1e-3 },
    schedule: { kind: 'constant', warmup: 0 },
    ...{ weightDecay: 0.01, tokenDropout: 0, clip: 1, keep: 'last', validationLimit: 0 },
  },
  phases: [{ losses: [crossEntropy({ hard: 1, temperature: 1, labelSmoothing: 0.1 })], until: 1 }],
  ...{ seed: 1, threads: 1, engine, signal },
  checkpoints: noCheckpoints,
  progress: () => undefined,
});

/** What a model answers on the CPU, end to end. */
const answersOf = async (model: Model): Promise<Float32Array> => {
  const { encoded } = texts();
  const { rows } = await predict({
    model,
    task: textClassification,
    examples: encoded,
    threads: 1,
    batching: 'length',
  });
  return rows.data;
};

/**
 * Trains a small encoder for a few updates on an engine and on the CPU from the same weights, masks and batches. Gives the
 * largest difference of an answer of both models afterwards, relative to the largest answer; NaN where one is no number.
 */
export const prove = async (engine: Engine, signal: AbortSignal): Promise<number> => {
  const here = await answersOf((await train(request(engine, signal))).model);
  const there = await answersOf((await train(request(cpuEngine, signal))).model);
  const scale = there.reduce((most, x) => Math.max(most, Math.abs(x)), Number.MIN_VALUE);
  return there.reduce((most, x, i) => Math.max(most, Math.abs(x - (here[i] ?? Number.NaN)) / scale), 0);
};
