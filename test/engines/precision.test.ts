import { describe, expect, it } from 'vitest';
import { lengthsOf } from '../../data/lengths.ts';
import type { Engine, Feeds } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { firstScale, type LossScale, scaleAfter, scaleFeed, unscaled } from '../../engine/loss-scale.ts';
import type { Loss } from '../../engine/losses/index.ts';
import { MaskBuffers } from '../../engine/masks.ts';
import { mixedStep } from '../../engine/mixed-step.ts';
import type { TrainingStep } from '../../engine/step.ts';
import { train } from '../../engine/train.ts';
import type { TrainRequest } from '../../engine/train-request.ts';
import { planTraining } from '../../engine/training-plan.ts';
import type { Updater } from '../../engine/updater.ts';
import { openUpdater } from '../../engine/updaters/index.ts';
import { UpdateSource } from '../../engine/updaters/source.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { value } from '../../graph/graph.ts';
import { parameterNames } from '../../graph/sites.ts';
import { elementCount, float32Of, type Tensor, tensorOf } from '../../graph/tensor.ts';
import type { Json } from '../../ground/json.ts';
import type { Model } from '../../models/model.ts';
import { bytesOfModel, labelsAlone, memoryCheckpoints, tinyModel } from '../engine/rig.ts';
import { risingZeros } from '../stages/prune-hook.ts';
import { trained } from './cases.ts';
import { halfEngines } from './half.ts';
import { interruptions, plainRequest, taskRequest } from './training.ts';

const mixed = (request: TrainRequest, engine: Engine): TrainRequest => ({
  ...{ ...request, engine, options: { ...request.options, precision: 'fp16' } },
});

const planOf = ({ examples, options, seed }: TrainRequest) => planTraining(lengthsOf(examples.encoded), options, seed);

const updaterOf = (request: TrainRequest): Updater => openUpdater(request, planOf(request));

const lengthOf = (numbers: ArrayLike<number>): number => Math.hypot(...Array.from(numbers));

/** How long the difference of two vectors is. */
const gapOf = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  lengthOf(Array.from(a, (x, i) => x - (b[i] ?? Number.NaN)));

/** All outputs of the first batch of a training, gradients and losses, at a scale. */
const outputsOf = async (request: TrainRequest, engine: Engine, factor: number, precision: 'fp32' | 'fp16') => {
  const source = new UpdateSource(mixed(request, engine), planOf(request));
  const step = source.stepOf(0);
  const [turn] = source.turns(0).turns;
  if (turn === undefined) throw new Error('no batch');
  const { graph }: TrainingStep = precision === 'fp16' ? mixedStep(step, engine) : step;
  const program = await engine.compile(graph, { threads: 1, optimization: 'all' });
  const outputs = await program.run({
    ...{ ...source.startOf(graph, step.parameters), ...source.feeds(step, turn, new MaskBuffers()) },
    ...scaleFeed(step, { ...unscaled, factor }),
  });
  await program.release();
  // A softmax sees no bias of keys: its gradient is what rounding leaves of zero.
  const seen = step.parameters.filter(({ name }) => !name.endsWith('key.bias'));
  const gradients = seen.map(({ name, gradient }): readonly [string, readonly number[]] => {
    const read = gradient.kind === 'dense' ? [gradient.output] : gradient.lookups.map(({ rows }) => rows);
    return [name, read.flatMap((output) => numbers(outputs, output))];
  });
  return { loss: numbers(outputs, step.loss)[0] ?? Number.NaN, gradients: new Map(gradients) };
};

const numbers = (feeds: Feeds, name: string): readonly number[] => Array.from(feeds[name]?.data ?? [], Number);

/** Some thirty roundings on the way there and back, each by half of the last of 11 bits at most. */
const ROUNDING = 30 * 2 ** -11;

const [, device] = halfEngines[1];

describe('a step in float16', () => {
  it.each([
    ...trained.map((name) => [name, () => taskRequest(name)] as const),
    ['dropout', () => plainRequest({ dropout: 0.3 })] as const,
  ])('has the gradients of one in float32, up to rounding: %s', async (_, requestOf) => {
    const [half, full] = [
      await outputsOf(requestOf(), device, firstScale.factor, 'fp16'),
      await outputsOf(requestOf(), device, firstScale.factor, 'fp32'),
    ];
    expect(Math.abs(half.loss / full.loss - 1)).toBeLessThan(ROUNDING);
    let differs = false;
    for (const [name, gradient] of full.gradients) {
      const apart = gapOf(gradient, half.gradients.get(name) ?? []) / lengthOf(gradient);
      expect({ name, apart, close: apart < ROUNDING }).toEqual({ name, apart, close: true });
      differs ||= apart > 1e-5;
    }
    expect(differs).toBe(true);
  });

  it('loses small gradients where the loss is not scaled, and none where it is', async () => {
    const tiny: Loss = {
      ...labelsAlone,
      emit: (ctx) => ctx.builder.op('Mul', [labelsAlone.emit(ctx), ctx.builder.scalar('float32', 1e-6)]),
    };
    const request = plainRequest({}, { phases: [{ losses: [tiny], until: 1 }] });
    const apart = async (factor: number): Promise<number> => {
      const [half, full] = [
        await outputsOf(request, device, factor, 'fp16'),
        await outputsOf(request, device, factor, 'fp32'),
      ];
      const all = ({ gradients }: typeof half) => [...gradients.values()].flat();
      return gapOf(all(full), all(half)) / lengthOf(all(full));
    };
    expect(await apart(1)).toBeGreaterThan(10 * ROUNDING);
    expect(await apart(2 ** 20)).toBeLessThan(ROUNDING);
  });

  it('is refused where an engine has none', async () => {
    await expect(train(mixed(plainRequest(), cpuEngine))).rejects.toMatchObject({
      message:
        'the engine "cpu" does not compute in float16 on this machine; leave precision out, or name an engine that does',
    });
  });
});

it('ONNX Runtime on a CPU rounds what tests compute in float16, and does not by itself', async () => {
  const builder = new GraphBuilder('sums');
  const half = (name: string) => builder.op('Cast', [builder.input(value(name), 'float32', [])], { to: 10 });
  const [large, one] = [half('large'), half('one')];
  const sum = builder.op('Add', [builder.op('Add', [large, one]), one]);
  const graph = builder.freeze([builder.op('Cast', [sum], { to: 1 }, 'y')]);
  const scalar = (x: number) => ({ dtype: 'float32', dims: [], data: Float32Array.of(x) }) as const;
  const sumOn = async (engine: Engine) => {
    const program = await engine.compile(graph, { threads: 1, optimization: 'all' });
    const { y } = await program.run({ large: scalar(2048), one: scalar(1) });
    await program.release();
    return y?.data[0];
  };
  for (const [, engine] of halfEngines) expect(await sumOn(engine)).toBe(2048);
  // When this fails, the runtime rounds: test/engines/half.ts can go.
  expect(await sumOn(cpuEngine)).toBe(2050);
});

/** What all parameters moved by, end to end. */
const movementOf = (start: Model, end: Model): readonly number[] =>
  parameterNames(start.graph)
    .filter((name) => !name.endsWith('key.bias'))
    .flatMap((name) => {
      const [a, b] = [start.graph.weights.get(name), end.graph.weights.get(name)].map((one) =>
        one?.dtype === 'float32' ? float32Of(one) : new Float32Array(),
      );
      return Array.from(b ?? [], (w, i) => w - (a?.[i] ?? 0));
    });

const pruned = () => {
  const { graph } = plainRequest().model;
  const names = parameterNames(graph).filter((name) => /dense\.weight|embeddings/.test(name));
  const lengths = names.map((name) => [name, elementCount(graph.weights.get(name)?.dims ?? [])] as const);
  return risingZeros(new Map(lengths), { sparsity: 0.7, every: 4 });
};

/** AdamW divides by the length of a gradient: where one is small, its rounding moves a weight as far as the gradient does. */
const DRIFT = 0.08;

describe.each(halfEngines)('training in float16, weights moved %s', (_, engine) => {
  it.each<readonly [string, () => TrainRequest]>([
    ['plainly', () => plainRequest()],
    ['with clipping', () => plainRequest({ clip: 0.05 })],
    ['by several batches an update, zeros held', () => plainRequest({ accumulate: 2, clip: 0.1 }, { hook: pruned() })],
    ['but for frozen parts', () => plainRequest({ freeze: ['embeddings', 'layers.0'] })],
    ['with a table that scores tokens, too', () => taskRequest('fill-mask')],
  ])('goes where training in float32 does: %s', async (_name, requestOf) => {
    const start = requestOf().model;
    const [half, full] = [await train(mixed(requestOf(), engine)), await train(requestOf())];
    const [ours, theirs] = [movementOf(start, half.model), movementOf(start, full.model)];
    expect(gapOf(ours, theirs) / lengthOf(theirs)).toBeLessThan(DRIFT);
    expect(gapOf(ours, theirs)).toBeGreaterThan(0);
    half.summary.curve.forEach(({ loss }, i) => {
      expect(Math.abs(loss / (full.summary.curve[i]?.loss ?? 0) - 1)).toBeLessThan(1e-2);
    });
    expect(half.summary.leftOut).toBe(0);
    expect(full.summary).not.toHaveProperty('leftOut');
  });

  it('moves nothing by an infinite gradient, and goes on at a smaller scale', async () => {
    const updater = updaterOf(mixed(plainRequest({ accumulate: 2 }), engine));
    const all = () =>
      updater.trained.flatMap(({ data, moments }) => [data, moments.first, moments.second].map((x) => [...x]));
    await updater.enter(0);
    const before = all();
    const over: LossScale = { factor: 2 ** 24, good: 0, leftOut: 0 };
    const { outcome } = await updater.update(0, over);
    await updater.read('everything');
    expect({ finite: Number.isFinite(outcome.norm), loss: outcome.loss }).toMatchObject({
      finite: false,
      loss: expect.any(Number),
    });
    expect(Number.isFinite(outcome.loss)).toBe(true);
    expect(all()).toEqual(before);
    const good = await updater.update(1, { ...firstScale, leftOut: 1 });
    await updater.read('everything');
    expect(Number.isFinite(good.outcome.norm)).toBe(true);
    expect(all().flat().every(Number.isFinite)).toBe(true);
    expect(all()).not.toEqual(before);
    // The first update that counts moves as a first update does: by the rate, whatever the gradient.
    const largest = Math.max(
      ...updater.trained.flatMap(({ data }, i) => [...data].map((w, j) => Math.abs(w - (before[3 * i]?.[j] ?? 0)))),
    );
    expect(largest / updater.rate(1)).toBeGreaterThan(0.9);
    expect(largest / updater.rate(1)).toBeLessThan(1.1);
    await updater.release();
  });

  /** A loss whose gradients overflow at the first scales. */
  const steep = (): TrainRequest => {
    const loss: Loss = {
      ...labelsAlone,
      emit: (ctx) => ctx.builder.op('Mul', [labelsAlone.emit(ctx), ctx.builder.scalar('float32', 1e4)]),
    };
    return plainRequest({ steps: 24, dropout: 0.1 }, { phases: [{ losses: [loss], until: 1 }] });
  };

  it('leaves out updates until the scale fits, and is interrupted without a trace', async () => {
    const saved: Json[] = [];
    const inPieces = async (updates: () => number) => {
      const memory = memoryCheckpoints();
      const checkpoints = {
        ...memory,
        save: (...state: Parameters<typeof memory.save>) => {
          saved.push(state[0]);
          return memory.save(...state);
        },
      };
      for (;;) {
        const controller = new AbortController();
        let left = updates();
        const wants = () => {
          if (--left === 0) controller.abort(new Error('interrupted'));
          return false;
        };
        try {
          const hook = { wants, afterUpdate: () => {} };
          return await train({ ...mixed(steep(), engine), checkpoints, hook, signal: controller.signal });
        } catch (error) {
          expect(error).toMatchObject({ message: 'interrupted' });
        }
      }
    };
    const whole = await inPieces(() => 1000);
    expect(whole.summary.leftOut).toBeGreaterThan(2);
    expect(whole.summary.leftOut).toBeLessThan(12);
    expect(saved).toEqual([]);
    const pieces = await inPieces(interruptions(2));
    expect(saved.length).toBeGreaterThan(2);
    expect(bytesOfModel(pieces.model)).toBe(bytesOfModel(whole.model));
    expect(pieces.summary.leftOut).toBe(whole.summary.leftOut);
    expect(pieces.summary.curve.map(({ loss }) => loss)).toEqual(whole.summary.curve.map(({ loss }) => loss));
  });

  /** The model with some of a weight's numbers changed. */
  const changed = (model: Model, name: string, change: (x: number) => number): Model => {
    const tensor = model.graph.weights.get(value(name)) as Tensor;
    const weights = new Map(model.graph.weights);
    weights.set(value(name), tensorOf('float32', tensor.dims, float32Of(tensor).map(change)));
    return { ...model, graph: { ...model.graph, weights } };
  };

  /** Neurons beyond 65504, which the next matrix brings back. */
  const wide = (): Model => {
    const model = tinyModel({ hidden: 8, layers: 2, ffn: 12, activation: 'relu' });
    const [up = '', down = ''] = ['intermediate.dense.weight', 'output.dense.weight'].map((end) =>
      parameterNames(model.graph).find(
        (name) => name.includes('layer.0') && !name.includes('attention') && name.endsWith(end),
      ),
    );
    return changed(
      changed(model, up, (w) => 1e6 * w),
      down,
      (w) => 1e-6 * w,
    );
  };

  it('says that float16 is too narrow, where float32 is not', async () => {
    await expect(train(mixed(plainRequest({}, { model: wide() }), engine))).rejects.toMatchObject({
      code: 'diverged',
      message: expect.stringMatching(
        /^the loss became \S+ \(cross-entropy\) at step 13 of 50, epoch 1 in float16, whose numbers end at 65504; in float32 the same texts give finite numbers\. Leave 'precision: fp16' out/,
      ),
    });
    await train(plainRequest({ steps: 2 }, { model: wide() }));
  });

  it('tells of numbers that are none in float32 either, at once', async () => {
    const beyond = changed(tinyModel(), 'classifier.weight', (w) => Math.sign(w) * 3e38);
    const told = (request: TrainRequest) =>
      train(request).then(
        () => 'nothing',
        (error: Error) => error.message,
      );
    const [ours, theirs] = [
      await told(mixed(plainRequest({}, { model: beyond }), engine)),
      await told(plainRequest({}, { model: beyond })),
    ];
    expect(ours).toMatch(/^the loss became NaN .*at step 1 of 50, epoch 1, before any weight was moved/);
    expect(ours).toBe(theirs);
  });
});

describe('the scale of the loss', () => {
  const scaleBehind = (scale: LossScale, updates: readonly boolean[]): LossScale => updates.reduce(scaleAfter, scale);

  it('is halved by what has to be left out, down to 1', () => {
    expect(scaleAfter({ factor: 64, good: 7, leftOut: 1 }, false)).toEqual({ factor: 32, good: 0, leftOut: 2 });
    expect(
      scaleBehind(
        firstScale,
        Array.from({ length: 40 }, () => false),
      ),
    ).toEqual({ factor: 1, good: 0, leftOut: 40 });
  });

  it('is doubled by 500 good updates in a row, up to a limit', () => {
    const good = Array.from({ length: 499 }, () => true);
    expect(scaleBehind(firstScale, good)).toEqual({ factor: 4096, good: 499, leftOut: 0 });
    expect(scaleBehind(firstScale, [...good, true])).toEqual({ factor: 8192, good: 0, leftOut: 0 });
    expect(scaleBehind(firstScale, [...good, false, ...good])).toEqual({ factor: 2048, good: 499, leftOut: 1 });
    expect(scaleBehind({ ...firstScale, factor: 2 ** 24 }, [...good, true]).factor).toBe(2 ** 24);
  });
});
