import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { idTargets } from '../../data/answer-targets.ts';
import { answerOnce } from '../../data/process.ts';
import { stream } from '../../data/random.ts';
import { noCheckpoints } from '../../ground/checkpoints.ts';
import { peakBytes } from '../../ground/peak.ts';
import { buildEncoder } from '../../models/encoder.ts';
import type { Model } from '../../models/model.ts';
import { defaultAdamW } from '../adamw.ts';
import { encodedText } from '../encoded.ts';
import { crossEntropy } from '../losses/index.ts';
import { openPredictor, type Predictor } from '../predict.ts';
import { textClassification } from '../tasks/classification.ts';
import type { TrainRequest } from '../train-request.ts';
import type { TrainingExamples } from '../training-options.ts';
import { trial } from '../trial.ts';
import { VALIDATION_BATCH } from '../validate.ts';
import type { EncoderSize, Question, Rehearsal, Rehearsed } from './rehearsal.ts';

/** Texts that are asked at once, and one by one. */
const [TOGETHER, SINGLE] = [64, 8];
/** No more are asked than these seconds hold. */
const MOST_SECONDS = 2;

const encoderOf = ({ classes, ...size }: EncoderSize): Model =>
  buildEncoder(
    {
      ...size,
      ...{ norm: 'post', activation: 'gelu', pooling: 'mean', dropout: 0.1, tokens: { padding: 1, unknown: 0 } },
      labels: Array.from({ length: Math.max(2, classes) }, (_, i) => `class ${i}`),
    },
    {},
    1,
  );

/** Random ids of the lengths that texts have. */
const examplesOf = ({ lengths, size }: Rehearsal): TrainingExamples => {
  const random = stream(1, 'rehearsal');
  return {
    encoded: lengths.map((length) =>
      encodedText({
        ids: Int32Array.from({ length: Math.min(length, size.maxLength) }, () => random.integer(size.vocabulary)),
      }),
    ),
    targets: idTargets(lengths.map(() => random.integer(Math.max(2, size.classes)))),
  };
};

/** Where among all lengths texts are taken from: a middle one warms up, and the others stand for a fifth of all each. */
const PLACES = [0.5, 0.5, 0.1, 0.9, 0.3, 0.7];

/** Seconds for one text. Those that are asked together are of like length, as they are in a run. */
const secondsAsked = async (
  { predict }: Predictor,
  { encoded }: TrainingExamples,
  [batching, count]: readonly ['length' | 'single', number],
): Promise<number> => {
  const sorted = encoded.toSorted((a, b) => a.length - b.length);
  const began = performance.now();
  const seconds: number[] = [];
  for (const [pass, place] of PLACES.entries()) {
    if (seconds.length > 0 && performance.now() - began > 1000 * MOST_SECONDS) break;
    const from = Math.floor(place * Math.max(0, sorted.length - count));
    const examples = sorted.slice(from, from + count);
    const started = performance.now();
    await predict({ examples, batching });
    if (pass > 0) seconds.push((performance.now() - started) / 1000 / examples.length);
  }
  return seconds.reduce((sum, one) => sum + one, 0) / seconds.length;
};

/** Bytes of weights that are compressed to see how long that takes. */
const COMPRESSED = 1 << 20;

const secondsCompressing = (): number => {
  const random = stream(1, 'weights');
  const weights = Buffer.from(Float32Array.from({ length: COMPRESSED / 4 }, () => random.normal()).buffer);
  const started = performance.now();
  gzipSync(weights);
  brotliCompressSync(weights, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });
  return (performance.now() - started) / 1000 / COMPRESSED;
};

const requestOf = (
  { batch, threads, room }: Rehearsal & { readonly batch: number },
  model: Model,
  examples: TrainingExamples,
  foresee: (bytes: number) => void,
): TrainRequest => ({
  ...{ model, task: textClassification, examples, threads, seed: 1 },
  validation: { ...examples, encoded: examples.encoded.slice(0, VALIDATION_BATCH) },
  options: {
    ...{ ...defaultAdamW, epochs: 2, batch, accumulate: 1, learningRate: 1e-4, headLearningRate: 1e-4 },
    ...{ schedule: { kind: 'constant', warmup: 0 }, weightDecay: 0.01, tokenDropout: 0, clip: 1 },
    ...{ keep: 'last', validationLimit: VALIDATION_BATCH },
  },
  phases: [{ losses: [crossEntropy({ hard: 1, temperature: 1, labelSmoothing: 0.1 })], until: 1 }],
  memory: { bytes: room, asked: false, foresee: ({ bytes }) => foresee(bytes) },
  signal: new AbortController().signal,
  checkpoints: noCheckpoints,
  progress: () => undefined,
});

const meanLength = ({ encoded }: TrainingExamples): number =>
  encoded.reduce((sum, { length }) => sum + length, 0) / Math.max(1, encoded.length);

/** What does not fit is not tried: its need alone is told. */
const tryTraining = async (
  rehearsal: Rehearsal & { readonly batch: number },
  model: Model,
  examples: TrainingExamples,
  left: number,
): Promise<Pick<Rehearsed, 'trained' | 'training' | 'toTrain'>> => {
  let need: number | null = null;
  const tooLarge = new Error('it would not fit');
  const request = requestOf(rehearsal, model, examples, (bytes) => {
    need = bytes - left;
    if (need > rehearsal.room) throw tooLarge;
  });
  const started = performance.now();
  try {
    const { tokensPerSecond, losses } = await trial(request);
    const trained = meanLength(examples) / tokensPerSecond;
    const updates = losses.length * Math.min(rehearsal.batch, examples.encoded.length) * trained;
    const toTrain = Math.max(0, (performance.now() - started) / 1000 - updates);
    return { trained, training: need, toTrain };
  } catch (error) {
    if (need === null) throw error;
    return { trained: null, training: need, toTrain: 0 };
  }
};

answerOnce<Question>(async ({ rehearsal }) => {
  const { batch, threads } = rehearsal;
  const [model, examples] = [encoderOf(rehearsal.size), examplesOf(rehearsal)];
  const before = process.memoryUsage.rss();
  const started = performance.now();
  const predictor = await openPredictor({ model, threads });
  const toAsk = (performance.now() - started) / 1000;
  const asked = await secondsAsked(predictor, examples, ['length', TOGETHER]);
  const alone = await secondsAsked(predictor, examples, ['single', SINGLE]);
  await predictor.release();
  const asking = peakBytes();
  // Memory that answers took is not given back to the system at once, and no part of what training takes.
  const left = Math.max(0, process.memoryUsage.rss() - before);
  const nothing = { trained: null, training: null, toTrain: 0 };
  const trained = batch === null ? nothing : await tryTraining({ ...rehearsal, batch }, model, examples, left);
  return { asked, alone, asking, toAsk, compressing: secondsCompressing(), ...trained };
});
