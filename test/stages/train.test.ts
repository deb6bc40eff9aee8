import { describe, expect, it } from 'vitest';
import { readModelArtifact } from '../../models/files.ts';
import { trainStage } from '../../stages/train/index.ts';
import { defaultRates, everyTraining, trainingOptions } from '../../stages/train/options.ts';
import { smallEncoder } from '../models/support.ts';
import { workspace } from '../rig/workspace.ts';
import {
  classes,
  datasetArtifact,
  modelArtifact,
  runStage,
  smallDataset,
  smallFeatures,
  wiringOf,
} from './training-rig.ts';

const quick = { epochs: 6, batch: 16, learningRate: 0.01 };

describe('the train stage', () => {
  it('puts a head on an encoder and fits it to the labels, alike every time', async () => {
    using space = workspace();
    const inputs = {
      model: await modelArtifact(space, 'encoder', smallFeatures()),
      dataset: await datasetArtifact(space, smallDataset()),
    };
    const first = await runStage(space, trainStage, inputs, quick, { name: 'first' });
    const again = await runStage(space, trainStage, inputs, quick, { name: 'again' });
    const { info } = await readModelArtifact(first.output.path);
    expect(info).toMatchObject({ task: 'text-classification', labels: classes });
    expect(again.output.artifact.digest).toBe(first.output.artifact.digest);
    expect(first.metrics).toMatchObject({ training: { steps: 36, epochs: 6 } });
    const { best } = Object(first.metrics.training);
    expect(best.accuracy).toBeGreaterThan(0.9);
  });

  it('trains the shape of another stage from random weights', async () => {
    using space = workspace();
    const teacher = smallEncoder({ ffn: 40 }, 3);
    const inputs = {
      model: await modelArtifact(space, 'teacher', { ...teacher, info: { ...teacher.info, labels: classes } }),
      dataset: await datasetArtifact(space, smallDataset()),
    };
    const { output } = await runStage(
      space,
      trainStage,
      inputs,
      { ...quick, like: 'teacher', epochs: 1 },
      { name: 'scratch' },
    );
    const { info, graph } = await readModelArtifact(output.path);
    expect(info.origin).toBe('random weights of seed 1');
    expect([...graph.weights.values()].map(({ dims }) => dims)).toEqual(
      [...teacher.graph.weights.values()].map(({ dims }) => dims),
    );
  });

  it('builds an encoder and a tokenizer of its own where an architecture is given', async () => {
    using space = workspace();
    const inputs = { dataset: await datasetArtifact(space, smallDataset()) };
    const shape = { hidden: 16, layers: 1, heads: 2, ffn: 32, vocabulary: 400 };
    for (const tokenizer of ['wordpiece', 'bpe']) {
      const config = { ...quick, epochs: 8, architecture: { ...shape, tokenizer } };
      const { output, metrics } = await runStage(space, trainStage, inputs, config, { name: tokenizer });
      const { info } = await readModelArtifact(output.path);
      expect(info).toMatchObject({ labels: classes, dimensions: { hidden: 16, layers: 1 }, maxLength: 10 });
      expect(Object(metrics.training).best.accuracy).toBeGreaterThan(0.9);
    }
  });

  it('reads the stage before, or the one that `like` names', () => {
    const plain = wiringOf();
    trainStage.wire({}, plain);
    expect(plain.asked).toEqual(['previous']);
    const like = wiringOf();
    trainStage.wire({ like: 'slim' }, like);
    expect(like.asked).toEqual(['model slim at like']);
    const both = wiringOf();
    trainStage.wire({ like: 'slim', architecture: {} }, both);
    expect(both.asked[0]).toBe(
      'problem at architecture: a stage takes its shape from "like" or from "architecture", not from both',
    );
    const own = wiringOf();
    expect(Object.keys(trainStage.wire({ architecture: {} }, own))).toEqual(['dataset']);
    expect(trainStage.config.safeParse({ architecture: { hidden: 100, heads: 3 } }).success).toBe(false);
  });

  it('refuses classes that are not the model’s, saying which are which', async () => {
    using space = workspace();
    const inputs = {
      model: await modelArtifact(space, 'other', smallEncoder({ labels: ['x', 'y'] })),
      dataset: await datasetArtifact(space, smallDataset()),
    };
    await expect(runStage(space, trainStage, inputs, quick, { name: 'failed' })).rejects.toMatchObject({
      kind: 'stage',
      message:
        'the model already tells 2 (x, y) classes apart, the data has 3 (animal, motion, rest) classes; start from a ' +
        'model without a head',
    });
  });

  it('keeps the ratio between head and encoder where only one rate is given', () => {
    const optionsOf = (given: object) => trainingOptions(everyTraining.parse(given), defaultRates.fineTune);
    expect(optionsOf({})).toMatchObject({ learningRate: 4e-4, headLearningRate: 3e-3, batch: 64 });
    expect(optionsOf({ learningRate: 1e-4 }).headLearningRate).toBeCloseTo(7.5e-4, 12);
    expect(optionsOf({ headLearningRate: 1e-3 })).toMatchObject({ learningRate: 4e-4, headLearningRate: 1e-3 });
    const scratch = trainingOptions(everyTraining.parse({}), defaultRates.scratch);
    expect(scratch.headLearningRate).toBe(scratch.learningRate);
  });

  it('refuses rates of zero and options that do not exist', () => {
    expect(everyTraining.safeParse({ learningRate: 0 }).success).toBe(false);
    expect(everyTraining.safeParse({ epoch: 3 }).success).toBe(false);
  });
});
