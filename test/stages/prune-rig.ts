import { z } from 'zod';
import { type Dataset, type Example, labelOf } from '../../data/dataset.ts';
import type { TrainingTexts } from '../../data/files.ts';
import { stream } from '../../data/random.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { buildEncoder } from '../../models/encoder.ts';
import type { Model } from '../../models/model.ts';
import { defaultRates, trainingConfig } from '../../stages/train/options.ts';
import { runTraining } from '../../stages/train/run.ts';
import { predictLogits } from '../engine/logits.ts';
import { smallOptions, wordTokenizer } from '../models/support.ts';

const classes = ['one', 'two', 'three', 'four'];
const fillers = Array.from({ length: 24 }, (_, i) => `filler${i}`);
/** Each class has words of its own, four of them, and two of the next class may stand in the text as well. */
const markers = classes.flatMap((name) => ['a', 'b', 'c', 'd'].map((letter) => `${name}${letter}`));
const vocabulary = ['[UNK]', '[PAD]', ...fillers, ...markers];

const tokenizer = {
  ...wordTokenizer,
  model: { ...wordTokenizer.model, vocab: Object.fromEntries(vocabulary.map((word, id) => [word, id])) },
};

const examplesOf = (count: number, seed: number): readonly Example[] => {
  const random = stream(seed, 'texts');
  const pick = (words: readonly string[]): string => words[random.integer(words.length)] ?? '';
  return Array.from({ length: count }, (_, id) => {
    const label = random.integer(classes.length);
    const own = markers.slice(4 * label, 4 * label + 4);
    const other = markers.slice(4 * ((label + 1) % 4), 4 * ((label + 1) % 4) + 4);
    const words = [
      pick(own),
      pick(own),
      pick(other),
      ...Array.from({ length: 2 + random.integer(5) }, () => pick(fillers)),
    ];
    // Some labels are wrong, as in real data: a model that is sure of everything has no gradients left to measure.
    const given = random.uniform() < 0.1 ? random.integer(classes.length) : label;
    const order = words.map((word) => ({ word, at: random.uniform() })).sort((a, b) => a.at - b.at);
    return { id: seed * 100_000 + id, text: order.map(({ word }) => word).join(' '), target: given };
  });
};

export const dataset = {
  task: 'text-classification',
  classes,
  maxLength: 12,
  train: examplesOf(768, 1),
  unlabelled: [],
  validation: examplesOf(64, 2),
  test: examplesOf(256, 3),
} satisfies Dataset;

/** What training texts would be if they lay in a file. */
export const trainingTexts: TrainingTexts = {
  ...dataset,
  labelled: dataset.train.length,
  pick: async (places) => Array.from(places, (place) => dataset.train[place] ?? []).flat(),
  all: async function* () {
    yield* dataset.train;
  },
};

const settings = { threads: 1, signal: new AbortController().signal };
const noCheckpoints = { load: async () => undefined, save: async () => undefined, folder: '' };

/** A classifier that has learnt its data: cuts by importance can only be told from random ones in a model that knows something. */
export const trainedModel = async (): Promise<Model> => {
  const model = buildEncoder(
    { ...smallOptions, vocabulary: vocabulary.length, hidden: 32, ffn: 64, layers: 3, labels: classes },
    tokenizer,
    1,
  );
  const config = z.strictObject(trainingConfig).parse({ epochs: 5, batch: 32, learningRate: 3e-3 });
  const context = {
    ...settings,
    engine: async () => cpuEngine,
    seed: 1,
    checkpoints: noCheckpoints,
    progress: () => undefined,
  };
  return (await runTraining({ model, dataset, config, rates: defaultRates.scratch }, context)).model;
};

/** Cross-entropy of each example, in nats. */
export const lossesOf = async (model: Model, examples: readonly Example[]): Promise<readonly number[]> => {
  const texts = examples.map(({ text }) => text);
  const logits = await predictLogits({ model, texts, maxLength: 12, batching: 'length', ...settings });
  return examples.map((example, row) => {
    const scores = Array.from(logits.subarray(row * classes.length, (row + 1) * classes.length));
    return Math.log(scores.reduce((sum, score) => sum + Math.exp(score - (scores[labelOf(example)] ?? 0)), 0));
  });
};

/** Mean cross-entropy on the test split. */
export const lossOf = async (model: Model): Promise<number> => {
  const losses = await lossesOf(model, dataset.test);
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
};
