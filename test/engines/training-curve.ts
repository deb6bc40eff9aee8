import { stream } from '../../data/random.ts';
import { adamwStep, clipScale, defaultAdamW, globalNorm } from '../../engine/adamw.ts';
import { BatchFeeder } from '../../engine/batch-feeder.ts';
import type { Engine, HostTensor } from '../../engine/engine.ts';
import { symbolsIn } from '../../engine/feeds.ts';
import { GradientRunner } from '../../engine/gradients.ts';
import { MaskBuffers } from '../../engine/masks.ts';
import { buildStep, type TrainingStep } from '../../engine/step.ts';
import { sizeOfUpdate } from '../../engine/step-batch.ts';
import { trainedArrays, trainingMemory } from '../../engine/training-state.ts';
import type { Model } from '../../models/model.ts';
import { labelsAlone, tinyExamples, tinyModel } from '../engine/rig.ts';

const TEXTS = 4;
const RATE = 1e-3;

/** What is fed at each step, the same for every engine. */
const batchesOf = (model: Model, step: TrainingStep, steps: number) => {
  const examples = tinyExamples(TEXTS * steps, 'curve');
  const feeder = new BatchFeeder(model.info, { examples, seed: 1, options: { tokenDropout: 0.05 } });
  return Array.from({ length: steps }, (_, at): Readonly<Record<string, HostTensor>> => {
    const rows = Int32Array.from({ length: TEXTS }, (_, i) => at * TEXTS + i);
    const length = Math.max(...Array.from(rows, (row) => examples.encoded[row]?.length ?? 0));
    const batch = { rows, length };
    const feeds = feeder.feeds(step.inputs, { batch, size: sizeOfUpdate([batch], feeder.answers), step: at });
    return { ...feeds, ...new MaskBuffers().draw(step.masks, symbolsIn(model.graph, feeds), stream(1, 'dropout', at)) };
  });
};

/**
 * The losses of some updates with gradients of an engine: two layers, dropout, clipping and AdamW, which the host computes.
 */
export const lossCurve = async (engine: Engine, steps: number): Promise<readonly number[]> => {
  const model = tinyModel({ hidden: 64, heads: 4, ffn: 128 });
  const step = buildStep(model, { losses: [labelsAlone], dropout: 0.1 });
  const program = await engine.compile(step.graph, { threads: 1, memory: 'pooled' });
  const memory = trainingMemory(step.parameters);
  const trained = trainedArrays({ graph: model.graph, before: [], seed: 1 }, step.parameters, memory);
  const weights = Object.fromEntries(
    trained.map(({ name, dims, data }): [string, HostTensor] => [name, { dtype: 'float32', dims, data }]),
  );
  const runner = new GradientRunner(step, program, memory);
  const losses: number[] = [];
  for (const [at, feeds] of batchesOf(model, step, steps).entries()) {
    runner.reset();
    const { loss } = await runner.run({ ...weights, ...feeds });
    losses.push(loss);
    const scale = clipScale(globalNorm(memory, runner.gradients), 1);
    for (const [i, { data, moments }] of trained.entries()) {
      const gradient = runner.gradients[i];
      if (gradient === undefined) throw new Error('a parameter has no gradient');
      adamwStep(memory, data, moments, gradient, { ...defaultAdamW, rate: RATE, decay: 0.01, step: at + 1, scale });
    }
  }
  await program.release();
  return losses;
};
