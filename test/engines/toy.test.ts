import { describe, expect, it } from 'vitest';
import type { Engine } from '../../engine/engine.ts';
import { train } from '../../engine/train.ts';
import type { TrainRequest } from '../../engine/train-request.ts';
import { linear } from '../../stages/prune/schedules/linear.ts';
import { CLASSES, tinyModel } from '../engine/rig.ts';
import { risingZeros } from '../stages/prune-hook.ts';
import { describeConformance } from './conformance.ts';
import { sampleCases } from './sample-cases.ts';
import { lackingIn, toyEngine } from './toy.ts';
import { apart, plainRequest } from './training.ts';
import { wholeGraphs } from './whole-graphs.ts';

/** What takes an operator without a kernel. Whatever else is asked has to be right. */
const lacks = [
  ...sampleCases.filter(({ graph }) => lackingIn(graph).length > 0).map(({ name }) => name),
  ...(await Promise.all(
    wholeGraphs.map(async ({ name, make }) => (lackingIn((await make()).graph).length > 0 ? [name] : [])),
  ).then((names) => names.flat())),
];

describe('an engine of few lines', () => {
  it('has kernels for every step of an own encoder but those that answer at places', () => {
    const steps = wholeGraphs.filter(({ name, kind }) => kind === 'step' && !/checkpoint|fill-mask/.test(name));
    expect(steps.filter(({ name }) => lacks.includes(name))).toEqual([]);
    expect(steps.length).toBeGreaterThan(8);
    expect(sampleCases.length + wholeGraphs.length - lacks.length).toBeGreaterThan(185);
  });

  it.each<readonly [string, Partial<TrainRequest['options']>]>([
    ['with dropout and a rate of the head', { dropout: 0.2, headLearningRate: 2e-3 }],
    ['by several batches an update, clipped', { accumulate: 2, clip: 0.1 }],
  ])('trains as the CPU does: %s', async (_, options) => {
    const request = (engine?: Engine): TrainRequest => {
      const hook = risingZeros(new Map([['classifier.weight', 8 * CLASSES]]), {
        sparsity: 0.5,
        schedule: linear,
        every: 2,
      });
      const model = tinyModel({ hidden: 8, layers: 1, ffn: 8 });
      return plainRequest({ ...options, steps: 6, batch: 4, epochs: 1 }, { engine, hook, model });
    };
    const [host, toy] = [await train(request()), await train(request(toyEngine))];
    expect(apart(host.model, toy.model)).toBeLessThan(2e-5);
    expect(apart(host.model, request().model)).toBeGreaterThan(1e-3);
  });
});

describeConformance({ name: 'toy', open: async () => toyEngine, lacks, tolerance: { sample: 1e-5, graph: 1e-4 } });
