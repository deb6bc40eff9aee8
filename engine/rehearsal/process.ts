import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { answerOnce } from '../../data/process.ts';
import { stream } from '../../data/random.ts';
import { noCheckpoints } from '../../ground/checkpoints.ts';
import { peakBytes } from '../../ground/peak.ts';
import { defaultAdamW } from '../adamw.ts';
import { crossEntropy } from '../losses/index.ts';
import { openPredictor, type Predictor } from '../predict.ts';
import type { TrainRequest } from '../train-request.ts';
import type { TrainingExamples } from '../training-options.ts';
import { trial } from '../trial.ts';
import { VALIDATION_BATCH } from '../validate.ts';
import type { Question, Rehearsal, Rehearsed } from './rehearsal.ts';
import { type Untrained, untrained } from './untrained.ts';

/** Texts that are asked at once, and one by one. */
const [TOGETHER, SINGLE] = [64, 8];
/** Of long texts fewer tell the same: about so many positions, and at least so many texts. */
const [POSITIONS, LEAST_TOGETHER] = [4096, 4];
/** No more are asked than these seconds hold. */
const MOST_SECONDS = 2;

const meanLength = ({ encoded }: TrainingExamples): number =>
  encoded.reduce((sum, { length }) => sum + length, 0) / Math.max(1, encoded.length);

/** How many texts are asked at once, whose lengths are these. */
const togetherOf = (examples: TrainingExamples): number =>
  Math.max(LEAST_TOGETHER, Math.min(TOGETHER, Math.round(POSITIONS / Math.max(1, meanLength(examples)))));

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
    await predict({ examples, batching, keep: 'largest' });
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
  { batch, recompute, threads, room }: Rehearsal & { readonly batch: number },
  { model, task, examples }: Untrained,
  foresee: (bytes: number) => void,
): TrainRequest => ({
  ...{ model, task, examples, threads, seed: 1 },
  validation: { ...examples, encoded: examples.encoded.slice(0, VALIDATION_BATCH) },
  options: {
    ...{ ...defaultAdamW, epochs: 2, batch, accumulate: 1, learningRate: 1e-4, headLearningRate: 1e-4 },
    ...{ schedule: { kind: 'constant', warmup: 0 }, weightDecay: 0.01, tokenDropout: 0, clip: 1 },
    ...{ keep: 'last', validationLimit: VALIDATION_BATCH, recompute },
  },
  phases: [{ losses: [crossEntropy({ hard: 1, temperature: 1, labelSmoothing: 0.1 })], until: 1 }],
  memory: { bytes: room, asked: false, foresee: ({ bytes }) => foresee(bytes) },
  signal: new AbortController().signal,
  checkpoints: noCheckpoints,
  progress: () => undefined,
});

/** What does not fit is not tried: its need alone is told. */
const tryTraining = async (
  rehearsal: Rehearsal & { readonly batch: number },
  tried: Untrained,
  left: number,
): Promise<Pick<Rehearsed, 'trained' | 'training' | 'toTrain'>> => {
  let need: number | null = null;
  const tooLarge = new Error('it would not fit');
  const request = requestOf(rehearsal, tried, (bytes) => {
    need = bytes - left;
    if (need > rehearsal.room) throw tooLarge;
  });
  const started = performance.now();
  try {
    const { tokensPerSecond, losses } = await trial(request);
    const trained = meanLength(tried.examples) / tokensPerSecond;
    const updates = losses.length * Math.min(rehearsal.batch, tried.examples.encoded.length) * trained;
    const toTrain = Math.max(0, (performance.now() - started) / 1000 - updates);
    return { trained, training: need, toTrain };
  } catch (error) {
    if (need === null) throw error;
    return { trained: null, training: need, toTrain: 0 };
  }
};

answerOnce<Question>(async ({ rehearsal }) => {
  const { batch, threads } = rehearsal;
  const tried = untrained(rehearsal.size, rehearsal.lengths);
  const { model, examples } = tried;
  const before = process.memoryUsage.rss();
  const started = performance.now();
  const predictor = await openPredictor({ model, threads });
  const toAsk = (performance.now() - started) / 1000;
  const asked = await secondsAsked(predictor, examples, ['length', togetherOf(examples)]);
  const alone = await secondsAsked(predictor, examples, ['single', SINGLE]);
  await predictor.release();
  const asking = peakBytes();
  // Memory that answers took is not given back to the system at once, and no part of what training takes.
  const left = Math.max(0, process.memoryUsage.rss() - before);
  const nothing = { trained: null, training: null, toTrain: 0 };
  const trained = batch === null ? nothing : await tryTraining({ ...rehearsal, batch }, tried, left);
  return { asked, alone, asking, toAsk, compressing: secondsCompressing(), ...trained };
});
