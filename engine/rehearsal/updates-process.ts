import { answerOnce } from '../../data/process.ts';
import { noCheckpoints } from '../../ground/checkpoints.ts';
import { peakBytes } from '../../ground/peak.ts';
import { readModel } from '../../models/files.ts';
import { defaultAdamW } from '../adamw.ts';
import { learner, lossesOf, someExample, someTargets } from '../memory/training.ts';
import type { TrainRequest } from '../train-request.ts';
import { trial } from '../trial.ts';
import type { UpdatesAsked, UpdatesTaken } from './updates.ts';

/** Updates: the trial's own that warm it up, and some in the middle of which one is told. */
const UPDATES = 5;

const requestOf = async (asked: UpdatesAsked): Promise<TrainRequest> => {
  const { batch, length, threads, recompute } = asked;
  const learns = learner(await readModel(asked.folder));
  const { model, task } = learns;
  const example = someExample(learns, length);
  const count = batch * UPDATES;
  const examples = {
    encoded: Array.from({ length: count }, () => example),
    targets: someTargets(learns, count * (example.places?.length ?? 1)),
  };
  return {
    ...{ model, task, examples, threads, seed: 1, validation: { ...examples, encoded: [] } },
    options: {
      ...{ ...defaultAdamW, epochs: 1, batch, accumulate: 1, learningRate: 1e-6, headLearningRate: 1e-6 },
      ...{ schedule: { kind: 'constant', warmup: 0 }, weightDecay: 0.01, tokenDropout: 0, clip: 1 },
      ...{ keep: 'last', validationLimit: 1, ...(recompute ? { recompute } : {}) },
    },
    phases: [{ losses: lossesOf(learns), until: 1 }],
    signal: new AbortController().signal,
    checkpoints: noCheckpoints,
    progress: () => undefined,
  };
};

answerOnce<UpdatesAsked>(async (asked) => {
  const { milliseconds } = await trial(await requestOf(asked));
  const taken: UpdatesTaken = { milliseconds, peakBytes: peakBytes() };
  return taken;
});
