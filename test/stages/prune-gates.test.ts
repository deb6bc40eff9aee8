import { describe, expect, it } from 'vitest';
import { imitate } from '../../engine/losses/index.ts';
import { predict } from '../../engine/predict.ts';
import { buildStep } from '../../engine/step.ts';
import { textClassification } from '../../engine/tasks/classification.ts';
import { train } from '../../engine/train.ts';
import type { TrainRequest } from '../../engine/train-request.ts';
import type { Value } from '../../graph/graph.ts';
import { float32Of } from '../../graph/tensor.ts';
import { tapsOf } from '../../models/anatomy/taps.ts';
import { anatomyOf } from '../../models/anatomy.ts';
import { initialize } from '../../models/initialize.ts';
import type { Model } from '../../models/model.ts';
import { withProjection } from '../../models/sentence.ts';
import { pruneConfig } from '../../stages/prune/config.ts';
import { learningGates } from '../../stages/prune/l0/run.ts';
import {
  bytesOfModel,
  labelsAlone,
  memoryCheckpoints,
  tinyExamples,
  tinyModel,
  tinyOptions,
  tinyRequest,
} from '../engine/rig.ts';
import { deviceEngine } from '../engines/device.ts';
import { smallEncoder } from '../models/support.ts';

const options = pruneConfig.parse({
  ...{ keep: { heads: 1, ffn: 8 }, criterion: 'l0' },
  recover: { uses: 'train' },
});

/** Channels of the stream and layers as well, in a model whose layers end in a norm. */
const everything = pruneConfig.parse({ ...options, keep: { heads: 1, ffn: 8, hidden: 8, layers: 1 } });
const post = tinyModel({ norm: 'post' });

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

describe('gates', () => {
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

  it('leave so many channels and layers, and in these so many heads and neurons', async () => {
    const { cut, report } = await learnt(requestOf({ model: post }), everything);
    expect(counts(cut)).toEqual([[1, 8]]);
    expect(anatomyOf(cut.graph).hidden.map(({ count }) => count)).toEqual([8]);
    expect(cut.info.dimensions).toMatchObject({ heads: 1, ffn: 8, hidden: 8, layers: 1 });
    const { layers, hidden, ...others } = report;
    expect(layers).toMatchObject({ from: 2, to: 1, kept: [expect.any(Number)] });
    expect(hidden).toMatchObject({ from: 16, to: 8 });
    // Of a layer that goes nothing is told.
    expect(Object.keys(others).filter((key) => key.startsWith('layer '))).toHaveLength(2);
  });

  it('leave neurons to compete over the layers that stay', async () => {
    const given = { ...options, keep: { ffn: 16, layers: 2 }, scope: 'global' as const };
    const { cut } = await learnt(requestOf({ model: tinyModel({ layers: 3 }) }), given);
    expect(counts(cut)).toHaveLength(2);
    expect(counts(cut).reduce((sum, [, neurons = 0]) => sum + neurons, 0)).toBe(32);
  });

  it('are refused on a width that the model puts out, and where layers cannot go', () => {
    const features = smallEncoder({ labels: [] });
    expect(() => learningGates(requestOf({ model: features }), everything)).toThrow(
      /^criterion l0: hidden is a width of what the model puts out \('.+'\), which gates cannot narrow: cut it in a stage of its own, by another criterion$/,
    );
    const projected = withProjection(features, 16, 1, true);
    expect(learningGates(requestOf({ model: projected }), everything).request.gates?.all.length).toBeGreaterThan(0);
  });

  it('are learnt while layers that they narrow are compared with a teacher, through what changes nothing at first', async () => {
    const inside = { beside: { model: post }, student: tapsOf(post), teacher: tapsOf(post), narrows: true };
    const entry = { uses: 'hidden', weight: 1, until: 1, layers: 'dynamic' };
    const loss = imitate(entry, { answer: 'choice', hard: 0.5, temperature: 1, inside });
    const phases = [{ losses: [labelsAlone, loss], until: 1 }];
    const { parameters } = buildStep(post, { losses: [loss] });
    const projections = parameters.filter(({ auxiliary }) => auxiliary);
    expect(projections.map(({ name, start }) => [name, start])).toEqual([
      ['hidden_projection.0.weight', { kind: 'identity' }],
      ['hidden_projection.1.weight', { kind: 'identity' }],
    ]);
    expect(float32Of(initialize(1, 'any', [2, 2], { kind: 'identity' }))).toEqual(Float32Array.of(1, 0, 0, 1));
    const { cut } = await learnt(requestOf({ model: post, phases }), everything);
    expect(counts(cut)).toEqual([[1, 8]]);
  });

  it('go before what else a training changes of a value: both are there', () => {
    const { gates } = learningGates(requestOf({ model: post }), everything).request;
    const [first] = gates?.all ?? [];
    if (first === undefined) throw new Error('there are gates');
    const seen: string[] = [];
    const emit = (_: unknown, x: Value): Value => {
      seen.push(x);
      return x;
    };
    buildStep(post, { losses: [labelsAlone], gates: gates?.all, within: [{ value: first.value, emit }] });
    expect(seen).toEqual([expect.stringContaining(`${first.value}/gate/`)]);
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
    const { cut, report } = await learnt(requestOf({ model: post }), everything);
    const checkpoints = memoryCheckpoints();
    for (let left = 13, pieces = 1; ; left = 12, pieces++) {
      const controller = new AbortController();
      const learning = learningGates(requestOf({ model: post, checkpoints, signal: controller.signal }), everything);
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
    const device = await learnt(requestOf({ model: post, engine: deviceEngine }), everything);
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
