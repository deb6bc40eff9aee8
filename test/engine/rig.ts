import { idTargets } from '../../data/answer-targets.ts';
import { stream } from '../../data/random.ts';
import { defaultAdamW } from '../../engine/adamw.ts';
import { encodedText } from '../../engine/encoded.ts';
import { crossEntropy, type LossSettings } from '../../engine/losses/index.ts';
import { textClassification } from '../../engine/tasks/classification.ts';
import type { TrainRequest } from '../../engine/train-request.ts';
import type { TrainingExamples, TrainingOptions } from '../../engine/training-options.ts';
import { parameterNames } from '../../graph/sites.ts';
import type { Checkpoints } from '../../ground/checkpoints.ts';
import type { Json } from '../../ground/json.ts';
import { buildEncoder, type EncoderOptions } from '../../models/encoder.ts';
import type { Model } from '../../models/model.ts';

export const CLASSES = 3;
const VOCABULARY = 40;

/** An encoder small enough that a hundred updates take a second. */
export const tinyModel = (overrides: Partial<EncoderOptions> = {}, seed = 1): Model =>
  buildEncoder(
    {
      vocabulary: VOCABULARY,
      hidden: 16,
      layers: 2,
      heads: 2,
      ffn: 32,
      maxLength: 12,
      norm: 'pre',
      activation: 'gelu',
      pooling: 'mean',
      labels: Array.from({ length: CLASSES }, (_, i) => `class ${i}`),
      dropout: 0.1,
      tokens: { padding: 1, unknown: 0 },
      ...overrides,
    },
    {},
    seed,
  );

/** Texts whose class is written into them: the ids of class c are c modulo the number of classes, mostly. */
export const tinyExamples = (count: number, purpose: string): TrainingExamples & { readonly labels: Int32Array } => {
  const random = stream(7, 'examples', purpose);
  const labels = Int32Array.from({ length: count }, () => random.integer(CLASSES));
  const encoded = Array.from(labels, (label) =>
    encodedText({
      ids: Int32Array.from({ length: 3 + random.integer(8) }, () =>
        random.uniform() < 0.6 ? 3 + label + CLASSES * random.integer(12) : 3 + random.integer(36),
      ),
    }),
  );
  return { encoded, labels, targets: idTargets(labels), called: (text) => `${purpose} text ${text}` };
};

/** What losses heed where there is no teacher. */
export const tinySettings: LossSettings = { hard: 1, temperature: 2, labelSmoothing: 0.1 };

/** Cross-entropy with the labels. */
export const labelsAlone = crossEntropy(tinySettings);

export const tinyOptions: TrainingOptions = {
  ...defaultAdamW,
  epochs: 3,
  batch: 16,
  accumulate: 1,
  learningRate: 5e-3,
  headLearningRate: 5e-3,
  schedule: { kind: 'linear', warmup: 0.1 },
  weightDecay: 0.01,
  tokenDropout: 0.05,
  clip: 1,
  keep: 'best',
  validationLimit: 1000,
};

/** Checkpoints in memory, with the newest state at hand. */
export const memoryCheckpoints = (): Checkpoints & { saves(): number } => {
  let saved: { readonly meta: Json; readonly data: Uint8Array } | undefined;
  let count = 0;
  return {
    folder: '/checkpoints',
    load: async () => saved,
    save: async (meta, data) => {
      saved = { meta: JSON.parse(JSON.stringify(meta)), data: new Uint8Array(Buffer.concat(data)) };
      count++;
    },
    saves: () => count,
  };
};

export const tinyRequest = (overrides: Partial<TrainRequest> = {}): TrainRequest => ({
  model: tinyModel(),
  examples: tinyExamples(150, 'train'),
  validation: tinyExamples(60, 'validation'),
  options: tinyOptions,
  task: textClassification,
  phases: [{ losses: [labelsAlone], until: 1 }],
  seed: 1,
  threads: 1,
  signal: new AbortController().signal,
  checkpoints: memoryCheckpoints(),
  progress: () => {},
  ...overrides,
});

/** All parameters as hexadecimal bytes: equal text means equal models. */
export const bytesOfModel = ({ graph }: Model): string =>
  parameterNames(graph)
    .map((name) => `${name}:${Buffer.from(graph.weights.get(name)?.bytes.read() ?? []).toString('base64')}`)
    .join('\n');
