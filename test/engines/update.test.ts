import { describe, expect, it } from 'vitest';
import { lengthsOf } from '../../data/lengths.ts';
import type { CompileOptions, Engine, Feeds } from '../../engine/engine.ts';
import { MaskBuffers } from '../../engine/masks.ts';
import { predict } from '../../engine/predict.ts';
import { train } from '../../engine/train.ts';
import type { TrainRequest, WeightArrays, WeightHook } from '../../engine/train-request.ts';
import { planTraining } from '../../engine/training-plan.ts';
import type { Updater } from '../../engine/updater.ts';
import { openUpdater } from '../../engine/updaters/index.ts';
import { UpdateSource } from '../../engine/updaters/source.ts';
import type { Graph } from '../../graph/graph.ts';
import { value } from '../../graph/graph.ts';
import { parameterNames } from '../../graph/sites.ts';
import { elementCount, float32Of } from '../../graph/tensor.ts';
import { distillation, hiddenStates, layerPairs } from '../engine/imitating.ts';
import { bytesOfModel, memoryCheckpoints, tinyExamples, tinyModel, tinyOptions, tinyRequest } from '../engine/rig.ts';
import { risingZeros } from '../stages/prune-hook.ts';
import { trained } from './cases.ts';
import { deviceEngine } from './device.ts';
import { apart, interruptions, plainRequest, taskRequest } from './training.ts';

/** After 50 updates. Sums are taken in another order, and roots are divided by otherwise. */
const CLOSE = 2e-5;

const onDevice = (request: TrainRequest): TrainRequest => ({ ...request, engine: deviceEngine });

const pruned = (every: number): WeightHook => {
  const { graph } = plainRequest().model;
  const names = parameterNames(graph).filter((name) => /dense\.weight|embeddings/.test(name));
  const lengths = names.map((name) => [name, elementCount(graph.weights.get(name)?.dims ?? [])] as const);
  return risingZeros(new Map(lengths), { sparsity: 0.7, every });
};

const updaterOf = (request: TrainRequest): Updater =>
  openUpdater(request, planTraining(lengthsOf(request.examples.encoded), request.options, request.seed));

describe('weights moved on a device', () => {
  it.each<readonly [string, () => TrainRequest]>([
    ['plainly', () => plainRequest({ clip: 1e6 })],
    ['with clipping', () => plainRequest({ clip: 0.05 })],
    ['without a limit or decay', () => plainRequest({ clip: Number.POSITIVE_INFINITY, weightDecay: 0 })],
    ['with other moments', () => plainRequest({ beta1: 0.7, beta2: 0.95, epsilon: 1e-4, weightDecay: 0.3 })],
    ['with dropout of units and tokens', () => plainRequest({ dropout: 0.3, tokenDropout: 0.2 })],
    ['with zeros that are held', () => plainRequest({}, { hook: pruned(4) })],
    ['by several batches an update', () => plainRequest({ accumulate: 3, dropout: 0.1 })],
    ['by several batches, zeros held', () => plainRequest({ accumulate: 2, clip: 0.1 }, { hook: pruned(7) })],
    ['but for frozen parts', () => plainRequest({ freeze: ['embeddings', 'layers.0'] })],
    ['at a rate of their own', () => plainRequest({ layerDecay: 0.5, headLearningRate: 2e-2 })],
    [
      'of one layer behind a large table',
      () => plainRequest({}, { model: tinyModel({ vocabulary: 1100, layers: 1, norm: 'post' }) }),
    ],
  ])('are those of the host: %s', async (_, requestOf) => {
    const [host, device] = [await train(requestOf()), await train(onDevice(requestOf()))];
    expect(apart(host.model, device.model)).toBeLessThan(CLOSE);
    expect(apart(host.model, requestOf().model)).toBeGreaterThan(100 * CLOSE);
    expect(device.summary.curve.length).toBe(host.summary.curve.length);
  });

  it.each(trained)('are those of the host: %s, with a teacher and its hidden states', async (name) => {
    const [host, device] = [await train(taskRequest(name)), await train(onDevice(taskRequest(name)))];
    expect(apart(host.model, device.model)).toBeLessThan(CLOSE);
    expect(apart(host.model, taskRequest(name).model)).toBeGreaterThan(100 * CLOSE);
  });

  it('that a hook prunes are exactly zero, as many as on the host', async () => {
    const zeros = (graph: Graph): number =>
      parameterNames(graph).reduce((sum, name) => {
        const tensor = graph.weights.get(name);
        return sum + (tensor === undefined ? 0 : float32Of(tensor).filter((w) => w === 0).length);
      }, 0);
    const request = () => plainRequest({}, { hook: pruned(5) });
    const [host, device] = [await train(request()), await train(onDevice(request()))];
    expect(zeros(device.model.graph)).toBe(zeros(host.model.graph));
    expect(zeros(device.model.graph)).toBeGreaterThan(zeros(request().model.graph) + 100);
  });

  it('are seen by a hook at every update, and what it writes stays', async () => {
    const seen: number[] = [];
    const hook: WeightHook = {
      afterUpdate: (step, _, weights: WeightArrays) => {
        seen.push(step);
        weights.get('classifier.weight')?.fill(0, 0, 5);
      },
    };
    const { model } = await train(onDevice(plainRequest({ steps: 6 }, { hook })));
    const bare = await train(onDevice(plainRequest({ steps: 6 })));
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    const tensor = model.graph.weights.get(value('classifier.weight'));
    expect(tensor === undefined ? [] : [...float32Of(tensor).subarray(0, 6)].map((w) => w === 0)).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
    ]);
    expect(apart(model, bare.model)).toBeGreaterThan(1e-3);
  });

  it('are the same bytes for the same seed, and others for another', async () => {
    const request = onDevice(plainRequest({ steps: 10, dropout: 0.2 }));
    const first = bytesOfModel((await train(request)).model);
    expect(bytesOfModel((await train({ ...request, checkpoints: memoryCheckpoints() })).model)).toBe(first);
    expect(bytesOfModel((await train({ ...request, seed: 2, checkpoints: memoryCheckpoints() })).model)).not.toBe(
      first,
    );
  });

  it('of the best epoch are kept, chosen by the same figures', async () => {
    const request = tinyRequest({ options: { ...tinyOptions, epochs: 4 } });
    const [host, device] = [await train(request), await train(onDevice(tinyRequest({ options: request.options })))];
    expect(device.summary.best?.epoch).toBe(host.summary.best?.epoch);
    device.summary.curve.forEach(({ step, loss, score }, i) => {
      const theirs = host.summary.curve[i];
      expect({ step, score }).toEqual({ step: theirs?.step, score: theirs?.score });
      expect(Math.abs(loss / (theirs?.loss ?? 0) - 1)).toBeLessThan(1e-4);
    });
    expect(apart(device.model, host.model)).toBeLessThan(CLOSE);
  });
});

describe('an interrupted training on a device', () => {
  const inPieces = async (request: TrainRequest, updates: () => number) => {
    const checkpoints = memoryCheckpoints();
    for (let piece = 1; ; piece++) {
      const controller = new AbortController();
      let left = updates();
      const { hook } = request;
      const counting: WeightHook = {
        ...hook,
        wants: (step, total) => {
          if (--left === 0) controller.abort(new Error('interrupted'));
          return hook !== undefined && hook.wants?.(step, total) !== false;
        },
        afterUpdate: (step, total, weights) => hook?.afterUpdate(step, total, weights),
      };
      try {
        const { model } = await train({ ...request, checkpoints, hook: counting, signal: controller.signal });
        return { bytes: bytesOfModel(model), pieces: piece };
      } catch (error) {
        expect(error).toMatchObject({ message: 'interrupted' });
      }
    }
  };

  const teacher = tinyModel({ hidden: 24, layers: 3 }, 5);
  const phased = (): TrainRequest => {
    const { model, examples, ...rest } = plainRequest({ steps: 24 });
    const answers = distillation({ temperature: 2, hard: 0 });
    const hidden = hiddenStates(model, { model: teacher }, { pairs: layerPairs(2, 3, 'uniform'), weight: 1 });
    const rows = {
      width: 3,
      columns: 3,
      unread: new Uint8Array(150),
      data: new Float32Array(450).map((_, i) => i % 7),
    };
    const phases = [
      { losses: [answers, hidden], until: 0.4 },
      { losses: [answers], until: 1 },
    ];
    return { ...rest, model, examples: { ...examples, teacher: rows }, phases };
  };

  it.each<readonly [string, () => TrainRequest]>([
    ['of several batches an update', () => plainRequest({ accumulate: 2, steps: 24, dropout: 0.1 })],
    ['with zeros that are held', () => plainRequest({ steps: 24 }, { hook: pruned(5) })],
    ['across a change of losses', phased],
    [
      'whose best epoch counts',
      () => tinyRequest({ options: { ...tinyOptions, epochs: 3, learningRate: 0.02, headLearningRate: 0.02 } }),
    ],
  ])('ends with the bytes of one that was not: %s', async (_, requestOf) => {
    const whole = bytesOfModel((await train(onDevice(requestOf()))).model);
    const { bytes, pieces } = await inPieces(onDevice(requestOf()), interruptions(1));
    expect(pieces).toBeGreaterThan(2);
    expect(bytes).toBe(whole);
  });

  it('goes on from a checkpoint of the host, and the host from one of a device', async () => {
    const request = () => plainRequest({ steps: 20 });
    const whole = await train(request());
    const checkpoints = memoryCheckpoints();
    const stop = async (engine: Engine | undefined, after: number): Promise<void> => {
      const controller = new AbortController();
      const wants = (step: number): boolean => {
        if (step === after) controller.abort(new Error('interrupted'));
        return false;
      };
      const hook = { wants, afterUpdate: () => {} };
      const stopped = train({ ...request(), engine, checkpoints, hook, signal: controller.signal });
      await expect(stopped).rejects.toThrow('interrupted');
    };
    await stop(undefined, 6);
    await stop(deviceEngine, 13);
    expect(apart((await train({ ...request(), checkpoints })).model, whole.model)).toBeLessThan(CLOSE);
  });
});

describe('numbers that are none', () => {
  it.each([1, 2])('move nothing on a device, weights, moments or sums (%i batches an update)', async (accumulate) => {
    const updater = updaterOf(onDevice(plainRequest({ accumulate, clip: 0.1 })));
    await updater.update(0);
    await updater.read('everything');
    const all = () =>
      updater.trained.flatMap(({ data, moments }) => [data, moments.first, moments.second].map((x) => [...x]));
    const bias = updater.trained.find(({ name }) => name === 'classifier.bias');
    if (bias === undefined) throw new Error('no bias');
    const [kept] = bias.data;
    bias.data[0] = Number.NaN;
    await updater.write(['classifier.bias']);
    const before = all();
    expect((await updater.update(1)).outcome.loss).toBeNaN();
    await updater.read('everything');
    expect(all()).toEqual(before);
    bias.data[0] = kept ?? 0;
    await updater.write(['classifier.bias']);
    const { outcome } = await updater.update(1);
    expect(Number.isFinite(outcome.norm)).toBe(true);
    await updater.read('everything');
    expect(all().flat().every(Number.isFinite)).toBe(true);
    await updater.release();
  });

  it('are looked into with the weights of now and of the start, which stay what they are', async () => {
    const request = plainRequest({ accumulate: 1 });
    const [host, device] = [updaterOf(request), updaterOf(onDevice(request))];
    for (const updater of [host, device]) for (let step = 0; step < 5; step++) await updater.update(step);
    const batch = planTraining(lengthsOf(request.examples.encoded), request.options, request.seed).update(7)[0];
    if (batch === undefined) throw new Error('no batch');
    for (const since of ['now', 'start', 'now'] as const) {
      const [ours, theirs] = [await device.replay(7, [0, batch], since), await host.replay(7, [0, batch], since)];
      expect(Math.abs(ours.loss - theirs.loss)).toBeLessThan(CLOSE);
      expect(Math.abs(ours.norm / theirs.norm - 1)).toBeLessThan(1e-4);
    }
    const [now, start] = [await device.replay(7, [0, batch], 'now'), await device.replay(7, [0, batch], 'start')];
    expect(Math.abs(now.loss - start.loss)).toBeGreaterThan(0.01);
    await Promise.all([host.release(), device.release()]);
  });
});

const bytesOf = (feeds: Feeds): number => Object.values(feeds).reduce((sum, { data }) => sum + data.byteLength, 0);

describe('what crosses the border', () => {
  it('of an update is at most twice its feeds and its losses', async () => {
    const model = tinyModel({ vocabulary: 2000, hidden: 32, maxLength: 64, dropout: 0.1 });
    const long = tinyExamples(64, 'train');
    const examples = {
      ...long,
      encoded: long.encoded.map((one) => ({
        ...one,
        length: 64,
        byRole: { tokens: Int32Array.from({ length: 64 }, (_, i) => (i * 7) % 40) },
      })),
    };
    const request = onDevice(tinyRequest({ model, examples }));
    const plan = planTraining(lengthsOf(examples.encoded), request.options, request.seed);
    const source = new UpdateSource(request, plan);
    const step = source.stepOf(0);
    const updater = updaterOf(request);
    await updater.update(0);
    let feeds = 0;
    const before = deviceEngine.moved();
    for (const at of [1, 2, 3]) {
      for (const turn of source.turns(at).turns) feeds += bytesOf(source.feeds(step, turn, new MaskBuffers()));
      await updater.update(at);
    }
    const after = deviceEngine.moved();
    const weights = updater.trained.reduce((sum, { data }) => sum + data.byteLength, 0);
    expect(after.up + after.down - before.up - before.down).toBeLessThanOrEqual(2 * (feeds + 3 * 8));
    expect(after.down - before.down).toBeLessThanOrEqual(3 * 3 * 4);
    expect(weights).toBeGreaterThan(10 * (after.down - before.down));
    await updater.release();
  });

  it('is no weight when an epoch is validated', async () => {
    const request = tinyRequest({ options: { ...tinyOptions, keep: 'last' } });
    const compiled: string[] = [];
    const engine: Engine = {
      ...deviceEngine,
      compile: (graph: Graph, options: CompileOptions) => {
        compiled.push(graph.name);
        return deviceEngine.compile(graph, options);
      },
    };
    await train({ ...request, engine });
    expect(compiled).toEqual(['encoder-training-step', 'encoder-evaluation']);
  });
});

describe('an engine that is asked for', () => {
  it('answers questions, too', async () => {
    let runs = 0;
    const engine: Engine = {
      ...deviceEngine,
      compile: (graph, options) => {
        runs++;
        return deviceEngine.compile(graph, options);
      },
    };
    const ask = {
      model: tinyModel(),
      examples: tinyExamples(20, 'test').encoded,
      threads: 1,
      batching: 'length',
    } as const;
    const [here, there] = [await predict(ask), await predict({ ...ask, engine })];
    expect(runs).toBe(1);
    expect(there.rows).toEqual(here.rows);
  });
});
