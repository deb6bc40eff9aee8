import { describe, expect, it } from 'vitest';
import { idTargets } from '../../data/answer-targets.ts';
import { stream } from '../../data/random.ts';
import { train } from '../../engine/train.ts';
import type { TrainRequest, WeightArrays } from '../../engine/train-request.ts';
import { value } from '../../graph/graph.ts';
import { isParameter } from '../../graph/sites.ts';
import type { Progress } from '../../ground/progress.ts';
import { distillation, hiddenStates, layerPairs } from './imitating.ts';
import { bytesOfModel, CLASSES, memoryCheckpoints, tinyExamples, tinyModel, tinyOptions, tinyRequest } from './rig.ts';

const trainedBytes = async (overrides: Partial<TrainRequest> = {}): Promise<string> =>
  bytesOfModel((await train(tinyRequest(overrides))).model);

/** Runs a request over and over, aborting each time after a few updates, until it ends on its own. */
const trainInPieces = async (
  request: TrainRequest,
  updates: (piece: number) => number,
): Promise<{ readonly bytes: string; readonly pieces: number }> => {
  const checkpoints = memoryCheckpoints();
  for (let piece = 0; ; piece++) {
    const controller = new AbortController();
    let left = updates(piece);
    const progress = { start: request.hook?.start, afterUpdate: request.hook?.afterUpdate };
    const hook = {
      start: (step: number, total: number, weights: WeightArrays): void => progress.start?.(step, total, weights),
      afterUpdate: (step: number, total: number, weights: WeightArrays): void => {
        progress.afterUpdate?.(step, total, weights);
        if (--left === 0) controller.abort(new Error('interrupted'));
      },
    };
    try {
      const { model } = await train({ ...request, checkpoints, hook, signal: controller.signal });
      return { bytes: bytesOfModel(model), pieces: piece + 1 };
    } catch (error) {
      expect(error).toMatchObject({ message: 'interrupted' });
    }
  }
};

describe('training', () => {
  it('learns what the labels say and reports how', async () => {
    const events: Progress[] = [];
    const { summary } = await train(tinyRequest({ progress: (event) => events.push(event) }));
    expect(summary).toMatchObject({ steps: 30, epochs: 3 });
    expect(summary.best?.score).toBeGreaterThan(0.8);
    expect(summary.curve.at(-1)?.loss).toBeLessThan(summary.curve[0]?.loss ?? 0);
    expect(summary.curve.filter(({ score }) => score !== undefined)).toHaveLength(3);
    expect(summary.paddingFraction).toBeLessThan(0.1);
    expect(summary.tokensPerSecond).toBeGreaterThan(0);
    expect(events.at(-1)).toMatchObject({ done: 30, total: 30, unit: 'steps', phase: 'epoch 3/3' });
  });

  it('leaves constants alone and moves every parameter', async () => {
    const before = tinyModel();
    const { model, summary } = await train(tinyRequest({ model: before }));
    let moved = 0;
    for (const [name, tensor] of model.graph.weights) {
      const same = Buffer.from(tensor.bytes.read()).equals(before.graph.weights.get(name)?.bytes.read() ?? Buffer.of());
      expect({ name, same }).toEqual({ name, same: !isParameter(before.graph, name) });
      if (!same) moved += tensor.dims.reduce((a, b) => a * b, 1);
    }
    expect(summary.trainedParameters).toBe(moved);
  });

  it('ends with the same bytes for the same seed, on one thread or two runs, and with others for another seed', async () => {
    const first = await trainedBytes();
    expect(await trainedBytes()).toBe(first);
    expect(await trainedBytes({ seed: 2 })).not.toBe(first);
  });

  it('ends with the same bytes when it is interrupted at random steps and resumed', async () => {
    const request = tinyRequest({ options: { ...tinyOptions, accumulate: 2, epochs: 4 } });
    const whole = bytesOfModel((await train(request)).model);
    for (const trial of [0, 1, 2]) {
      const random = stream(trial, 'interruptions');
      const { bytes, pieces } = await trainInPieces(request, () => 1 + random.integer(9));
      expect(pieces).toBeGreaterThan(1);
      expect(bytes).toBe(whole);
    }
  });

  it('resumes across a change of losses', async () => {
    const teacher = tinyModel({ hidden: 24, layers: 3 }, 5);
    const student = tinyModel();
    const examples = tinyExamples(100, 'train');
    const random = stream(1, 'teacher');
    const answers = distillation({ temperature: 2, hard: 0 });
    const hidden = hiddenStates(student, { model: teacher }, { pairs: layerPairs(2, 3, 'uniform'), weight: 1 });
    const request = tinyRequest({
      model: student,
      examples: {
        ...examples,
        teacher: {
          ...{ width: CLASSES, columns: CLASSES, unread: new Uint8Array(100) },
          data: Float32Array.from({ length: 100 * CLASSES }, () => random.normal()),
        },
      },
      phases: [
        { losses: [answers, hidden], until: 0.4 },
        { losses: [answers], until: 1 },
      ],
    });
    const whole = bytesOfModel((await train(request)).model);
    expect((await trainInPieces(request, () => 4)).bytes).toBe(whole);
  });

  it('keeps the best epoch, or the last where asked', async () => {
    const options = { ...tinyOptions, epochs: 6, learningRate: 0.02, headLearningRate: 0.02 };
    const best = await train(tinyRequest({ options }));
    const last = await train(tinyRequest({ options: { ...options, keep: 'last' } }));
    const kept = best.summary.best;
    expect(kept).toEqual(last.summary.best);
    const accuracies = best.summary.curve.flatMap(({ score }) => score ?? []);
    expect(kept?.score).toBe(Math.max(...accuracies));
    expect(bytesOfModel(best.model) === bytesOfModel(last.model)).toBe(kept?.epoch === 6);
    const upTo = await train(tinyRequest({ options: { ...options, keep: 'last', steps: 0 } }));
    expect(bytesOfModel(upTo.model)).toBe(bytesOfModel(tinyModel()));
  });

  it('stops early when validation no longer improves', async () => {
    const examples = tinyExamples(60, 'train');
    const validation = { ...tinyExamples(40, 'validation'), targets: idTargets(new Int32Array(40)) };
    const options = { ...tinyOptions, epochs: 40, patience: 2 };
    const { summary } = await train(tinyRequest({ examples, validation, options }));
    expect(summary.epochs).toBeLessThan(40);
    expect(summary.epochs).toBe((summary.best?.epoch ?? 0) + 2);
  });

  it('shows the hook every update, and what the hook writes stays', async () => {
    const seen: number[] = [];
    const hook = {
      start: (step: number): void => {
        seen.push(-step);
      },
      afterUpdate: (step: number, total: number, weights: WeightArrays): void => {
        expect(total).toBe(30);
        seen.push(step);
        weights.get('classifier.weight')?.fill(0, 0, 5);
      },
    };
    const { model } = await train(tinyRequest({ hook, options: { ...tinyOptions, keep: 'last' } }));
    expect(seen).toEqual([-0, ...Array.from({ length: 30 }, (_, i) => i + 1)]);
    const weights = new Float32Array(
      Uint8Array.from(model.graph.weights.get(value('classifier.weight'))?.bytes.read() ?? []).buffer,
    );
    expect([...weights.subarray(0, 5)]).toEqual([0, 0, 0, 0, 0]);
    expect(weights[5]).not.toBe(0);
  });
});
