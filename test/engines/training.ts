import { stream } from '../../data/random.ts';
import type { Task } from '../../engine/tasks/task.ts';
import type { TrainRequest } from '../../engine/train-request.ts';
import type { TrainingOptions } from '../../engine/training-options.ts';
import { parameterNames } from '../../graph/sites.ts';
import { float32Of } from '../../graph/tensor.ts';
import { modelTask } from '../../ground/tasks.ts';
import type { Model } from '../../models/model.ts';
import { hiddenStates, layerPairs, usualImitation } from '../engine/imitating.ts';
import { tinyModel, tinyOptions, tinyRequest, tinySettings } from '../engine/rig.ts';
import { caseOf, teacherOf, texts } from './cases.ts';

/** Updates after which weights are compared. */
const STEPS = 50;

/** A rate at which rounding does not grow from step to step. */
const RATE = 1e-3;

const short: TrainingOptions = {
  ...tinyOptions,
  ...{ epochs: 100, steps: STEPS, batch: 8, keep: 'last', validationLimit: 0 },
  ...{ learningRate: RATE, headLearningRate: RATE },
};

/** A short training from labels; `options` beside. */
export const plainRequest = (options: Partial<TrainingOptions> = {}, more: Partial<TrainRequest> = {}): TrainRequest =>
  tinyRequest({
    model: tinyModel({ hidden: 8, layers: 2, ffn: 12 }),
    options: { ...short, dropout: 0, ...options },
    ...more,
  });

/** A short training of a task from its targets, its teacher and the teacher's hidden states as far as it has them. */
export const taskRequest = (name: Task['name']): TrainRequest => {
  const one = caseOf(name);
  const { given, targets } = one;
  const { varying: _, ...task } = one.task;
  const half = { ...tinySettings, hard: 0.5 };
  const encoded = texts(modelTask(task.name).about !== 'text');
  const beside = { model: tinyModel({ hidden: 24, layers: 3, maxLength: 40 }, 2) };
  const hidden = hiddenStates(given, beside, { pairs: layerPairs(2, 3, 'uniform'), weight: 0.5 });
  return tinyRequest({
    ...{ model: given, task, examples: { encoded, targets, teacher: teacherOf(one) } },
    validation: { encoded: [], targets },
    options: { ...short, batch: 3, tokenDropout: 0 },
    phases: [{ losses: [...task.targetLosses(half), ...usualImitation(task, half), hidden], until: 1 }],
  });
};

/** A softmax sees no bias of keys: its gradient is what rounding leaves of zero, and AdamW takes no notice how small that is. */
const isUnseen = (name: string): boolean => name.endsWith('key.bias');

/** The largest difference of two models' weights. */
export const apart = (one: Model, other: Model): number => {
  let largest = 0;
  for (const name of parameterNames(one.graph).filter((each) => !isUnseen(each))) {
    const [a, b] = [one.graph.weights.get(name), other.graph.weights.get(name)];
    if (a === undefined || b === undefined) throw new Error(`no weight '${name}'`);
    const theirs = float32Of(b);
    float32Of(a).forEach((x, i) => {
      const gap = Math.abs(x - (theirs[i] ?? Number.NaN));
      largest = Math.max(largest, Number.isNaN(gap) ? Number.POSITIVE_INFINITY : gap);
    });
  }
  return largest;
};

/** A stream of small whole numbers: after how many updates each piece of a training is interrupted. */
export const interruptions = (trial: number): (() => number) => {
  const random = stream(trial, 'interruptions');
  return () => 1 + random.integer(9);
};
