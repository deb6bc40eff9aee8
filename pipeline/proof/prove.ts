import { idTargets, unknownTargets } from '../../data/answer-targets.ts';
import { stream } from '../../data/random.ts';
import { defaultAdamW } from '../../engine/adamw.ts';
import { encodedText } from '../../engine/encoded.ts';
import type { Engine } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { crossEntropy } from '../../engine/losses/index.ts';
import { textClassification } from '../../engine/tasks/classification.ts';
import { train } from '../../engine/train.ts';
import type { TrainRequest } from '../../engine/train-request.ts';
import type { TrainingExamples } from '../../engine/training-options.ts';
import type { Value } from '../../graph/graph.ts';
import { parameterNames } from '../../graph/sites.ts';
import { arrayOf } from '../../graph/tensor.ts';
import { buildEncoder } from '../../models/encoder.ts';
import type { Model } from '../../models/model.ts';

const LABELS = ['a', 'b', 'c', 'd'];
const SHAPE = { vocabulary: 200, hidden: 64, layers: 2, heads: 4, ffn: 128, maxLength: 16 };
const UPDATES = 3;
const BATCH = 8;

/** How far weights may be apart that two engines trained from the same ones, in units of the largest of their tensor. */
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
  checkpoints: { load: async () => undefined, save: async () => undefined, folder: '' },
  progress: () => undefined,
});

const floatsOf = ({ graph }: Model, name: Value): Float32Array => {
  const tensor = graph.weights.get(name);
  if (tensor?.dtype !== 'float32') throw new Error(`'${name}' is no float32 weight`);
  return arrayOf({ ...tensor, dtype: 'float32' });
};

const apart = (a: Float32Array, b: Float32Array): number => {
  const scale = a.reduce((most, x) => Math.max(most, Math.abs(x)), Number.MIN_VALUE);
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] ?? Number.NaN)) / scale), 0);
};

/**
 * Trains a small encoder for a few updates on an engine and on the CPU from the same weights, masks and batches. Gives the
 * largest difference of a weight afterwards, relative to the largest of its tensor; NaN where one of them is no number.
 */
export const prove = async (engine: Engine, signal: AbortSignal): Promise<number> => {
  const { model: here } = await train(request(engine, signal));
  const { model: there } = await train(request(cpuEngine, signal));
  const gaps = parameterNames(there.graph).map((name) => apart(floatsOf(there, name), floatsOf(here, name)));
  return gaps.some(Number.isNaN) ? Number.NaN : Math.max(...gaps);
};
