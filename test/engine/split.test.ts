import { describe, expect, it } from 'vitest';
import type { Stream } from '../../data/random.ts';
import { type Encoded, tokensOf } from '../../engine/encoded.ts';
import type { Task } from '../../engine/tasks/task.ts';
import { train } from '../../engine/train.ts';
import type { TrainRequest } from '../../engine/train-request.ts';
import type { TrainingOptions } from '../../engine/training-options.ts';
import { caseOf } from '../engines/cases.ts';
import { deviceEngine } from '../engines/device.ts';
import { apart, plainRequest, taskRequest } from '../engines/training.ts';
import { memoryCheckpoints, tinyExamples, tinyModel } from './rig.ts';

/** After the updates of these tests: sums of several passes are taken in another order than those of one. */
const CLOSE = 2e-5;

const engines = [
  ['host', undefined],
  ['device', deviceEngine],
] as const;

const splitAs = (request: TrainRequest, options: Partial<TrainingOptions>): TrainRequest => ({
  ...request,
  options: { ...request.options, ...options },
  checkpoints: memoryCheckpoints(),
});

/** How far weights of split batches are from those of whole ones, and these from where they began. */
const compare = async (request: TrainRequest, batch: number, accumulate: number) => {
  const whole = await train(splitAs(request, { batch: batch * accumulate, accumulate: 1 }));
  const split = await train(splitAs(request, { batch, accumulate }));
  expect(split.summary.steps).toBe(whole.summary.steps);
  expect(split.summary.paddingFraction).toBe(whole.summary.paddingFraction);
  for (const [i, { loss }] of split.summary.curve.entries()) {
    expect(loss).toBeCloseTo(whole.summary.curve[i]?.loss ?? 0, 4);
  }
  return { apart: apart(whole.model, split.model), moved: apart(whole.model, request.model) };
};

/** Other tokens and other answers in every update, as tasks have it that hide words. */
const varying = () => (example: Encoded, random: Stream) => ({
  encoded: { ...example, byRole: { tokens: tokensOf(example).map(() => 3 + random.integer(36)) } },
  targets: Array.from(example.places ?? [], () => random.integer(36)),
});

const everyDraw = { steps: 20, dropout: 0.2, tokenDropout: 0.1, batch: 12 };

describe.each(engines)('a batch that is split over several passes, weights moved by the %s', (_, engine) => {
  it.each([
    [4, 3],
    [3, 4],
    [1, 12],
    // Pieces of unequal size: 70 texts end in a batch of 10.
    [5, 6],
  ])('trains the same: %i texts of each, %i passes', async (batch, accumulate) => {
    const request = plainRequest(everyDraw, { engine, examples: tinyExamples(70, 'train') });
    const { apart: gap, moved } = await compare(request, batch, accumulate);
    expect(gap).toBeLessThan(CLOSE);
    expect(moved).toBeGreaterThan(100 * CLOSE);
  });

  it.each<Task['name']>(['token-classification', 'named-entities', 'multi-label', 'score', 'fill-mask', 'features'])(
    'trains the same: %s, with a teacher and its hidden states',
    async (name) => {
      const request = splitAs({ ...taskRequest(name), engine }, { ...everyDraw, steps: 10 });
      const task = caseOf(name).task.varying === undefined ? request.task : { ...request.task, varying };
      const { apart: gap, moved } = await compare({ ...request, task }, 2, 3);
      expect(gap).toBeLessThan(CLOSE);
      expect(moved).toBeGreaterThan(100 * CLOSE);
    },
  );
});

it('other masks or other tokens would be noticed', async () => {
  const request = plainRequest(everyDraw, { model: tinyModel({ hidden: 8, layers: 2, ffn: 12 }) });
  const whole = await train(splitAs(request, { batch: 12 }));
  for (const other of [{ dropout: 0 }, { tokenDropout: 0 }]) {
    const { model } = await train(splitAs(request, { batch: 4, accumulate: 3, ...other }));
    expect(apart(whole.model, model)).toBeGreaterThan(100 * CLOSE);
  }
});
