import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import type { AugmentEntry, Augmenter, Material } from '../../engine/augment/augmentation.ts';
import { augmentationOf, augmentations } from '../../engine/augment/index.ts';
import { beta } from '../../engine/augment/mix-up.ts';
import type { Rewordings } from '../../engine/augment/rewordings.ts';
import { BatchFeeder } from '../../engine/batch-feeder.ts';
import { type Encoded, encodedText, tokensOf } from '../../engine/encoded.ts';
import type { Feeds } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { feedsFor } from '../../engine/feeds.ts';
import { GradientRunner } from '../../engine/gradients.ts';
import { buildStep } from '../../engine/step.ts';
import { train } from '../../engine/train.ts';
import type { TrainRequest } from '../../engine/train-request.ts';
import type { TrainingExamples } from '../../engine/training-options.ts';
import { trainingMemory } from '../../engine/training-state.ts';
import { weightFeeds } from '../../engine/weight-feeds.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import { dataTask } from '../../ground/tasks.ts';
import { tapsOf } from '../../models/anatomy/taps.ts';
import type { Model } from '../../models/model.ts';
import { answerName, expectInput, imageSignature, textPort } from '../../models/signature.ts';
import { deviceEngine } from '../engines/device.ts';
import { apart } from '../engines/training.ts';
import { imitation } from './imitating.ts';
import {
  bytesOfModel,
  CLASSES,
  labelsAlone,
  memoryCheckpoints,
  tinyExamples,
  tinyModel,
  tinyOptions,
  tinyRequest,
} from './rig.ts';

/** Four deviations of shares of some ten thousand draws. */
const SHARE_ERROR = 0.015;
/** Float32 sums in another order. */
const REORDERED = 1e-5;
/** After some updates of the host's optimizer and the device's. */
const CLOSE = 2e-5;

const [UNKNOWN, PADDING, FIRST] = [0, 1, 3];

/** Each word has two others, the next numbers, of which the first is drawn three times as often. */
const othersOf = (examples: readonly Encoded[]): Rewordings => {
  const all = examples.flatMap((one) => Array.from(tokensOf(one), (was, place) => ({ was, place })));
  const starts = [0];
  for (const { length } of examples) starts.push((starts.at(-1) ?? 0) + length);
  return {
    starts: Int32Array.from(starts),
    places: Int32Array.from(all, ({ place }) => place),
    was: Int32Array.from(all, ({ was }) => was),
    others: Int32Array.from({ length: all.length + 1 }, (_, word) => 2 * word),
    tokens: Int32Array.from(all.flatMap(({ was }) => [100 + was, 200 + was])),
    chances: Float32Array.from(all.flatMap(() => [0.75, 0.25])),
  };
};

const entryOf = (uses: string, options: object = {}): AugmentEntry => {
  const needed = augmentationOf(uses).rewords ? { model: 'guesser' } : {};
  return augmentationOf(uses).schema.parse({ uses, ...needed, ...options });
};

const materialFor = (model: Model, examples: readonly Encoded[], seed = 1): Material => ({
  ...{ seed, special: new Set([UNKNOWN, PADDING, FIRST]), rewordings: othersOf(examples) },
  embeddings: () => tapsOf(model).embeddings ?? answerName(model.info.signature),
});

const made = (uses: string, model: Model, examples: readonly Encoded[], options: object = {}, seed = 1): Augmenter =>
  augmentationOf(uses).make(entryOf(uses, options), materialFor(model, examples, seed));

const longTexts = Array.from({ length: 300 }, (_, i) =>
  encodedText({ ids: Int32Array.from({ length: 20 + (i % 30) }, (_, at) => (at === 0 ? FIRST : 10 + (at % 20))) }),
);

/** What a batch of texts is fed for the tokens after an augmentation, row by row, padding last. */
const fedTo = (augmenter: Augmenter, examples: readonly Encoded[], step = 0, rows = examples.map((_, i) => i)) => {
  const model = tinyModel();
  const batch = { rows: Int32Array.from(rows), length: Math.max(...examples.map(({ length }) => length)) };
  const feeds = feedsFor(model.info, examples, batch);
  augmenter.feed?.({ model: model.info, feeds, examples, batch, step, done: step / 100 });
  const { data = [] } = feeds[expectInput(model.info.signature, 'tokens')] ?? {};
  const all = Array.from(data, Number);
  return rows.map((_, i) => all.slice(i * batch.length, (i + 1) * batch.length));
};

const onTokens = ['tokens', 'spans', 'words'] as const;

describe('shifts of images', () => {
  const pixels = { channels: 2, height: 3, width: 4, scale: 1, mean: [0, 0], deviation: [1, 1] };
  const model = { signature: imageSignature(value('x'), textPort(value('y'))), processor: { pixels } };
  const samples = Uint8Array.from({ length: 24 }, (_, i) => i + 1);
  const example = { length: 1, byRole: { pixels: samples } };
  const shifted = (step: number, rows: readonly number[]): readonly number[] => {
    const batch = { rows: Int32Array.from(rows), length: 1 };
    const examples = [example, example, example];
    const feeds = feedsFor(model, examples, batch);
    const made = augmentationOf('shift').make(
      { uses: 'shift', pixels: 1 },
      { seed: 1, special: new Set(), embeddings: () => value('') },
    );
    made.feed?.({ model, feeds, examples, batch, step, done: 0 });
    return [...(feeds.x?.data ?? [])].map(Number);
  };
  /** The image moved so far, by hand: every pixel looks up where it comes from. */
  const moved = (down: number, right: number): readonly number[] =>
    Array.from(samples, (_, at) => {
      const [channel, row, column] = [Math.floor(at / 12), Math.floor((at % 12) / 4), at % 4];
      const [y, x] = [Math.min(2, Math.max(0, row - down)), Math.min(3, Math.max(0, column - right))];
      return samples[12 * channel + 4 * y + x] ?? 0;
    });
  const nine = [-1, 0, 1].flatMap((down) => [-1, 0, 1].map((right) => moved(down, right).join()));

  it('move whole images by a pixel at most, all ways, and fill edges with what stood there', () => {
    const met = new Set(Array.from({ length: 80 }, (_, step) => shifted(step, [0]).join()));
    expect([...met].sort()).toEqual([...nine].sort());
  });

  it('are drawn for each image by itself: its company changes nothing', () => {
    expect(shifted(5, [2, 1]).slice(24)).toEqual(shifted(5, [1]));
    expect(shifted(5, [0, 1, 2])).not.toEqual([...samples, ...samples, ...samples]);
  });

  it('are of images alone, as other augmentations are of texts', () => {
    const texts = { task: dataTask('text-classification') };
    const images = { task: dataTask('image-classification') };
    expect(augmentationOf('shift').problem(texts)).toContain('makes other images');
    expect(augmentationOf('spans').problem(images)).toContain('makes other texts');
    expect(augmentationOf('shift').problem(images)).toBeUndefined();
    expect(augmentationOf('shift').problem({ ...images, inside: 'hidden' })).toContain('leave shift out');
  });
});

describe('augmentations', () => {
  it('of a list are known by what they do, and none is left out below', () => {
    expect(augmentations.map(({ uses }) => uses)).toEqual([...onTokens, 'mix-up', 'shift']);
  });

  it.each(onTokens)('change the asked share of tokens, never padding, the same for a seed and a step: %s', (uses) => {
    const fed = (options: object, step = 0, seed = 1) =>
      fedTo(made(uses, tinyModel(), longTexts, options, seed), longTexts, step);
    const share = 0.2;
    const first = fed({ share });
    let [changed, all] = [0, 0];
    for (const [i, row] of first.entries()) {
      const own = tokensOf(longTexts[i] ?? { length: 0, byRole: {} });
      expect(row.slice(own.length).every((id) => id === PADDING)).toBe(true);
      for (const [at, id] of row.slice(uses === 'spans' ? 1 : 0, own.length).entries()) {
        changed += Number(id !== own[at + (uses === 'spans' ? 1 : 0)]);
        all++;
      }
    }
    expect(Math.abs(changed / all - share)).toBeLessThan(SHARE_ERROR);
    expect(fed({ share })).toEqual(first);
    expect(fed({ share }, 1)).not.toEqual(first);
    expect(fed({ share }, 0, 2)).not.toEqual(first);
  });

  it('of spans hide runs of the asked mean length, and no special token', () => {
    const rows = fedTo(made('spans', tinyModel(), longTexts, { share: 0.2, length: 4 }), longTexts);
    expect(rows.every(([first]) => first === FIRST)).toBe(true);
    // Runs that a text cuts short are left out: those that begin and end within it.
    const runs = rows.flatMap((row) => [
      ...row
        .map((id) => (id === UNKNOWN ? 'x' : '.'))
        .join('')
        .matchAll(/(?<=\.)x+(?=\.)/g),
    ]);
    const mean = runs.reduce((sum, [run]) => sum + run.length, 0) / runs.length;
    expect(mean).toBeGreaterThan(3.2);
    expect(mean).toBeLessThan(4.3);
  });

  it('of words put in what was offered, as often as it is likely, and leave alone what has changed', () => {
    const augmenter = made('words', tinyModel(), longTexts, { share: 0.5 });
    const rows = fedTo(augmenter, longTexts);
    const [likely, less] = [100, 200].map((from) => rows.flat().filter((id) => id >= from && id < from + 100).length);
    expect(Math.abs((likely ?? 0) / ((likely ?? 0) + (less ?? 0)) - 0.75)).toBeLessThan(2 * SHARE_ERROR);
    const other = longTexts.map(({ length }) => encodedText({ ids: new Int32Array(length).fill(9) }));
    expect(
      fedTo(augmenter, other)
        .flat()
        .every((id) => id === 9 || id === PADDING),
    ).toBe(true);
  });

  it.each(['spans', 'words'])('are of a text whatever stands beside it: %s', (uses) => {
    const augmenter = made(uses, tinyModel(), longTexts, { share: 0.3 });
    const all = fedTo(augmenter, longTexts);
    expect(fedTo(augmenter, longTexts, 0, [7, 211])).toEqual([all[7], all[211]]);
  });
});

/** The graph with a value that is fed. */
const behind = ({ graph, info }: Model, from: Value): Graph => ({
  ...graph,
  inputs: [...graph.inputs, from],
  outputs: [answerName(info.signature)],
  nodes: graph.nodes.filter(({ outputs }) => !outputs.includes(from)),
});

const answersOf = async (graph: Graph, feeds: Feeds): Promise<Float32Array> => {
  const program = await cpuEngine.compile(graph, { threads: 1, optimization: 'none' });
  const [said] = Object.values(await program.run(feeds));
  await program.release();
  return said?.data instanceof Float32Array ? said.data : new Float32Array();
};

const logSoftmax = (logits: Float32Array): readonly number[] => {
  const total = Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0));
  return Array.from(logits, (x) => x - total);
};

/** The loss of a step with mix-up over all examples as one batch, its gradients, and what it was fed. */
const mixedStep = async (
  model: Model,
  examples: TrainingExamples,
  { losses = [labelsAlone], longer = 0, augmenter = made('mix-up', model, []) } = {},
) => {
  const made = losses.map((loss) => augmenter.loss?.(loss) ?? loss);
  const within = augmenter.within === undefined ? [] : [augmenter.within];
  const step = buildStep(model, { losses: made, dropout: 0, within });
  const program = await cpuEngine.compile(step.graph, { threads: 1, training: true });
  const runner = new GradientRunner(step, program, trainingMemory(step.parameters));
  const feeder = new BatchFeeder(model.info, {
    examples,
    seed: 1,
    options: { tokenDropout: 0 },
    augmenters: [augmenter],
  });
  const rows = Int32Array.from(examples.encoded, (_, i) => i);
  const length = Math.max(...examples.encoded.map((one) => one.length)) + longer;
  const tokens = examples.encoded.reduce((sum, one) => sum + one.length, 0);
  const feeds = feeder.feeds(step.inputs, {
    batch: { rows, length },
    size: { answers: rows.length, tokens },
    step: 3,
    done: 0.1,
  });
  runner.reset();
  const { loss } = await runner.run({ ...weightFeeds(step.graph, model, []), ...feeds });
  await program.release();
  return { loss, gradients: runner.gradients.map((one) => one.slice()), feeds, length };
};

const numbers = (feeds: Feeds, name: string): readonly number[] => Array.from(feeds[name]?.data ?? [], Number);

describe('mix-up', () => {
  const model = tinyModel({ dropout: 0, maxLength: 16 });
  const examples = tinyExamples(6, 'mixed');

  it('draws shares from Beta(alpha, alpha)', () => {
    for (const alpha of [0.2, 1, 4]) {
      const random = stream(1, 'beta', alpha);
      const draws = Array.from({ length: 4000 }, () => beta(alpha, random));
      const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
      const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
      expect(Math.abs(mean - 0.5)).toBeLessThan(0.035);
      expect(variance * 4 * (2 * alpha + 1)).toBeGreaterThan(0.93);
      expect(variance * 4 * (2 * alpha + 1)).toBeLessThan(1.07);
    }
  });

  it('mixes embeddings without padding and the losses of both texts by one share', async () => {
    const { loss, feeds, length } = await mixedStep(model, examples);
    const from = tapsOf(model).embeddings ?? answerName(model.info.signature);
    const unmixed = feedsFor(model.info, examples.encoded, { rows: Int32Array.from([0, 1, 2, 3, 4, 5]), length });
    const embedded = await answersOf({ ...model.graph, outputs: [from] }, unmixed);
    const width = embedded.length / (6 * length);
    const partners = numbers(feeds, 'mix-up/partners');
    const [own, mask] = [numbers(feeds, 'mix-up/own'), numbers(feeds, expectInput(model.info.signature, 'mask'))];
    const data = new Float32Array(embedded.length);
    const texts = examples.encoded.map((one, i) => {
      const partner = partners.slice(6 * i, 6 * i + 6).indexOf(1);
      const other = examples.encoded[partner] ?? one;
      const kept = own[i * length] ?? 0;
      for (let at = 0; at < length; at++) {
        expect(mask[i * length + at]).toBe(Number(at < Math.max(one.length, other.length)));
        for (let k = 0; k < width; k++) {
          const x = (text: number): number => embedded[(text * length + at) * width + k] ?? 0;
          data[(i * length + at) * width + k] =
            (at < one.length ? kept * x(i) : 0) + (at < other.length ? (1 - kept) * x(partner) : 0);
        }
      }
      return { kept, labels: [examples.labels[i], examples.labels[partner]] };
    });
    const masks = {
      [expectInput(model.info.signature, 'mask')]: {
        dtype: 'int64' as const,
        dims: [6, length],
        data: BigInt64Array.from(mask, BigInt),
      },
    };
    const logits = await answersOf(behind(model, from), {
      ...unmixed,
      ...masks,
      [from]: { dtype: 'float32', dims: [6, length, width], data },
    });
    const wanted = texts.reduce((sum, { kept, labels: [mine, theirs] }, i) => {
      const said = logSoftmax(logits.subarray(CLASSES * i, CLASSES * (i + 1)));
      const smooth = said.reduce((all, x) => all + (0.1 / CLASSES) * x, 0);
      const of = (label = 0): number => -(0.9 * (said[label] ?? 0) + smooth);
      return sum + (kept * of(mine) + (1 - kept) * of(theirs)) / 6;
    }, 0);
    expect(texts.some(({ kept }) => kept > 0.05 && kept < 0.95)).toBe(true);
    expect(Math.abs(loss - wanted)).toBeLessThan(REORDERED);
  });

  it('is the same whatever padding follows, and changes nothing of a text beside itself', async () => {
    const [short, long] = [await mixedStep(model, examples), await mixedStep(model, examples, { longer: 3 })];
    expect(Math.abs(short.loss - long.loss)).toBeLessThan(REORDERED);
    const far = short.gradients.map((one, i) =>
      Math.max(...one.map((x, at) => Math.abs(x - (long.gradients[i]?.[at] ?? Number.NaN)))),
    );
    expect(Math.max(...far)).toBeLessThan(REORDERED);
    const alone = tinyExamples(1, 'alone');
    const [mixed, plain] = [await mixedStep(model, alone), await mixedStep(model, alone, { augmenter: {} })];
    expect(Math.abs(mixed.loss - plain.loss)).toBeLessThan(REORDERED);
  });

  it('mixes what a teacher says in the same way', async () => {
    const data = Float32Array.from({ length: 6 * CLASSES }, (_, i) => Math.sin(i));
    const taught = { ...examples, teacher: { width: CLASSES, columns: CLASSES, data, unread: new Uint8Array(6) } };
    const losses = [imitation({ uses: 'mse' })];
    const { loss, feeds } = await mixedStep(model, taught, { losses });
    const [mine, theirs] = ['teacher_answers', 'partner/teacher_answers'].map((name) => numbers(feeds, name));
    const partners = numbers(feeds, 'mix-up/partners');
    expect(theirs).toEqual(
      examples.encoded.flatMap((_, i) => {
        const partner = partners.slice(6 * i, 6 * i + 6).indexOf(1);
        return mine?.slice(CLASSES * partner, CLASSES * (partner + 1)) ?? [];
      }),
    );
    const [kept, left] = ['teacher_weights', 'partner/teacher_weights'].map((name) => numbers(feeds, name));
    expect(kept?.map((share, i) => share + (left?.[i] ?? 0)).every((sum) => Math.abs(6 * sum - 1) < REORDERED)).toBe(
      true,
    );
    expect(Number.isFinite(loss)).toBe(true);
  });
});

/** All together, in a short training. */
const everyOne = (more: Partial<TrainRequest> = {}): TrainRequest => {
  const model = tinyModel({ hidden: 8, layers: 2, ffn: 12 });
  const examples = tinyExamples(40, 'train');
  const [offered, all] = [
    othersOf(examples.encoded),
    augmentations.filter(({ reads }) => reads === 'texts').map(({ uses }) => entryOf(uses)),
  ];
  const rewordings = { ...offered, tokens: offered.tokens.map((id) => 3 + (id % 30)) };
  const material = { ...materialFor(model, examples.encoded), rewordings };
  const augmenters = all.map((entry) => augmentationOf(entry.uses).make(entry, material));
  const losses = [augmenters.reduce((loss, one) => one.loss?.(loss) ?? loss, labelsAlone)];
  const options = {
    ...tinyOptions,
    epochs: 3,
    batch: 8,
    accumulate: 2,
    learningRate: 1e-3,
    headLearningRate: 1e-3,
    validationLimit: 0,
  };
  return tinyRequest({ model, examples, options, augmenters, phases: [{ losses, until: 1 }], ...more });
};

describe('training on other texts', () => {
  it('ends with the same bytes after an interruption, and on a device with the same weights', async () => {
    const whole = await train(everyOne());
    const checkpoints = memoryCheckpoints();
    const controller = new AbortController();
    let left = 4;
    const hook = { afterUpdate: () => void (--left === 0 && controller.abort(new Error('interrupted'))) };
    await expect(train(everyOne({ checkpoints, hook, signal: controller.signal }))).rejects.toThrow('interrupted');
    expect(bytesOfModel((await train(everyOne({ checkpoints }))).model)).toBe(bytesOfModel(whole.model));
    const device = await train(everyOne({ engine: deviceEngine }));
    expect(apart(whole.model, device.model)).toBeLessThan(CLOSE);
    const plain = await train(everyOne({ augmenters: [], phases: [{ losses: [labelsAlone], until: 1 }] }));
    expect(apart(whole.model, plain.model)).toBeGreaterThan(100 * CLOSE);
  });
});
