import { numberTargets, targetOf } from '../../data/answer-targets.ts';
import { withActivation } from '../../models/activation.ts';
import { withHead } from '../../models/head.ts';
import { squaredError } from '../losses/index.ts';
import { wholeTexts } from '../read.ts';
import { standardized } from '../standard.ts';
import type { Task } from './task.ts';

/** One number a text or pair, in the unit of the user's. */
export const score: Task = {
  name: 'score',
  encode: wholeTexts,
  targets: (examples) =>
    numberTargets(examples.map(({ target }) => (typeof target === 'number' ? target : Number.NaN))),
  fit: (model) => withHead(model, { task: score.name, at: 'texts', labels: [], columns: 1 }),
  answering: withActivation,
  standardize: standardized,
  targetLosses: (settings) => [squaredError(settings)],
  imitation: 'mse',
  judge: ([said = Number.NaN], { targets }, answer) => {
    const truth = targetOf(targets, answer);
    const loss = (said - truth) ** 2;
    return { score: -loss, loss, columns: { said: [said], truth: [truth] } };
  },
  tell: ([number] = new Float32Array()) => ({ score: number ?? null }),
};
