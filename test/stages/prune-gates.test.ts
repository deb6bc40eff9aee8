import { describe, expect, it } from 'vitest';
import { predict } from '../../engine/predict.ts';
import { textClassification } from '../../engine/tasks/classification.ts';
import { train } from '../../engine/train.ts';
import type { TrainRequest } from '../../engine/train-request.ts';
import { anatomyOf } from '../../models/anatomy.ts';
import type { Model } from '../../models/model.ts';
import { pruneConfig } from '../../stages/prune/config.ts';
import { learningGates } from '../../stages/prune/l0/run.ts';
import { bytesOfModel, memoryCheckpoints, tinyExamples, tinyOptions, tinyRequest } from '../engine/rig.ts';
import { deviceEngine } from '../engines/device.ts';

const options = pruneConfig.parse({
  ...{ keep: { heads: 1, ffn: 8 }, criterion: 'l0' },
  recover: { uses: 'train' },
});

const requestOf = (changes: Partial<TrainRequest> = {}): TrainRequest =>
  tinyRequest({ options: { ...tinyOptions, steps: 40, keep: 'last' }, ...changes });

const counts = ({ graph }: Model) =>
  anatomyOf(graph).layers.map(({ heads, ffn }) => [...heads, ...ffn].map(({ count }) => count));

const learnt = async (request: TrainRequest, given = options) => {
  const learning = learningGates(request, given);
  const { model } = await train(learning.request);
  return { whole: model, cut: learning.finish(model), report: learning.report() };
};

const answersOf = async (model: Model): Promise<Float32Array> => {
  const { rows } = await predict({
    ...{ model, task: textClassification, examples: tinyExamples(20, 'test').encoded, threads: 1 },
    ...{ batching: 'length', signal: new AbortController().signal },
  });
  return rows.data;
};

describe('gates on heads and neurons', () => {
  it('leave the very counts that were asked for, in each layer', async () => {
    const { cut, whole, report } = await learnt(requestOf());
    expect(counts(whole)).toEqual([
      [2, 32],
      [2, 32],
    ]);
    expect(counts(cut)).toEqual([
      [1, 8],
      [1, 8],
    ]);
    expect(report).toMatchObject({ criterion: 'l0', 'layer 0 heads': { from: 2, to: 1 } });
    expect(cut.info.dimensions).toMatchObject({ heads: 1, ffn: 8 });
  });

  it('or over all layers, where these compete', async () => {
    const { cut } = await learnt(requestOf(), { ...options, keep: { ffn: 16 }, scope: 'global' });
    const [first = [], second = []] = counts(cut);
    expect((first[1] ?? 0) + (second[1] ?? 0)).toBe(32);
    expect([first[0], second[0]]).toEqual([2, 2]);
  });

  it('are what the model was trained with: what is cut said nothing any more', async () => {
    const request = requestOf();
    const learning = learningGates(request, options);
    const { model, summary } = await train(learning.request);
    const cut = learning.finish(model);
    // Validation answers with gates, and those are decided by then.
    const judged = summary.curve.at(-1)?.score;
    const { rows } = await predict({
      ...{ model: cut, task: textClassification, examples: request.validation.encoded, threads: 1 },
      ...{ batching: 'length', signal: request.signal },
    });
    const classes = rows.width;
    const right = Array.from(request.validation.targets.data).filter((target, row) => {
      const scores = Array.from(rows.data.subarray(row * classes, (row + 1) * classes));
      return scores.indexOf(Math.max(...scores)) === target;
    });
    expect(right.length / request.validation.encoded.length).toBeCloseTo(judged ?? 0, 10);
    const [uncut, own] = [await answersOf(model), await answersOf(cut)];
    expect(own.some((x, i) => Math.abs(x - (uncut[i] ?? 0)) > 1e-3)).toBe(true);
  });

  it('end in the same bytes after interruptions, and nearly so on a device', async () => {
    const { cut, report } = await learnt(requestOf());
    const checkpoints = memoryCheckpoints();
    for (let left = 13, pieces = 1; ; left = 12, pieces++) {
      const controller = new AbortController();
      const learning = learningGates(requestOf({ checkpoints, signal: controller.signal }), options);
      const progress = (): void => void (--left === 0 && controller.abort(new Error('interrupted')));
      const done = await train({
        ...learning.request,
        progress: () => undefined,
        hook: stopping(learning.request, progress),
      }).catch((error: Error) => {
        expect(error.message).toBe('interrupted');
        return undefined;
      });
      if (done === undefined) continue;
      expect(pieces).toBe(4);
      expect(bytesOfModel(learning.finish(done.model))).toBe(bytesOfModel(cut));
      expect(learning.report()).toEqual(report);
      break;
    }
    const device = await learnt(requestOf({ engine: deviceEngine }));
    expect(device.report).toEqual(report);
    expect(counts(device.cut)).toEqual(counts(cut));
  });
});

/** The same hook, and something that is called after every update. */
const stopping = ({ hook }: TrainRequest, after: () => void): TrainRequest['hook'] => ({
  ...hook,
  wants: () => true,
  afterUpdate: async (step, total, weights) => {
    if (hook?.wants?.(step, total) === true) await hook.afterUpdate(step, total, weights);
    after();
  },
});
