import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { trainWordPiece } from '../../data/tokenizers/wordpiece.ts';
import { BatchFeeder } from '../../engine/batch-feeder.ts';
import { asWritten, type Encoded, encodedText, tokensOf } from '../../engine/encoded.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GradientRunner } from '../../engine/gradients.ts';
import { crossEntropy } from '../../engine/losses/index.ts';
import { maskingFor } from '../../engine/masking.ts';
import { predict } from '../../engine/predict.ts';
import { buildStep } from '../../engine/step.ts';
import { sizeOfUpdate } from '../../engine/step-batch.ts';
import { fillMask } from '../../engine/tasks/fill-mask.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { train } from '../../engine/train.ts';
import type { TrainingExamples } from '../../engine/training-options.ts';
import { trainingMemory } from '../../engine/training-state.ts';
import { weightFeeds } from '../../engine/weight-feeds.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { anatomyOf } from '../../models/anatomy.ts';
import { atPlaces } from '../../models/at-places.ts';
import { withoutWordHead } from '../../models/head.ts';
import { withMaskedHead } from '../../models/masked-head.ts';
import type { Model } from '../../models/model.ts';
import { answerPort, inputOf } from '../../models/signature.ts';
import { maskTokenOf, specialIds } from '../../models/special-tokens.ts';
import { expectedOf, goldenNames, importGolden, runGolden } from '../models/golden-checkpoints.ts';
import { largestDifference } from '../models/support.ts';
import { distillation, hiddenStates, layerPairs } from './imitating.ts';
import { bytesOfModel, memoryCheckpoints, tinyModel, tinyOptions, tinyRequest } from './rig.ts';

/** Sums in another order, over logits of up to 3. */
const ROUNDING = 2e-5;
/** Four deviations of a share of 0.1 among the tokens that are drawn below. */
const SHARE_ERROR = 0.02;

const letters = Array.from('abcdefghijklmnopqrstuvwxyz');

/** Every text counts upwards from somewhere: what stands behind a mask follows from its neighbours. */
const counting = (texts: number, purpose: string): readonly string[] => {
  const random = stream(9, purpose);
  return Array.from({ length: texts }, () => {
    const first = random.integer(16);
    return letters.slice(first, first + 4 + random.integer(6)).join(' ');
  });
};

const tokenizer = trainWordPiece(counting(200, 'tokenizer'), { size: 60 });

const encoder = (overrides: Parameters<typeof tinyModel>[0] = {}): Model => {
  const model = tinyModel({ labels: [], vocabulary: 60, maxLength: 16, dropout: 0, ...overrides });
  return { ...model, tokenizer };
};

const examplesFor = async (model: Model, texts: readonly string[]): Promise<TrainingExamples> => {
  const encoded = await fillMask.encode(model, texts, 16);
  const targets = fillMask.targets?.([], encoded, []);
  if (targets === undefined) throw new Error('masks have targets');
  return { encoded, targets };
};

const settings = { hard: 1, temperature: 1, labelSmoothing: 0 };
const options = { ...tinyOptions, tokenDropout: 0, learningRate: 1e-2, headLearningRate: 1e-2 };

describe('hidden tokens', () => {
  const model = encoder();
  const mask = maskTokenOf(model);
  const special = specialIds(model);
  const vary = maskingFor(model);
  const original = Int32Array.from([2, ...Array.from({ length: 40 }, (_, i) => 10 + i), 3]);
  const example = encodedText({ ids: original });

  it('are 15 % of a text: of them 80 % become the mask, 10 % another token, and 10 % stay', () => {
    const seen = { mask: 0, kept: 0, other: 0, all: 0 };
    for (let i = 0; i < 1000; i++) {
      const { encoded, targets } = vary(example, stream(1, 'shares', i));
      const places = encoded.places ?? new Int32Array();
      expect(places.length).toBe(6);
      places.forEach((place, at) => {
        const now = tokensOf(encoded)[place];
        expect(targets[at]).toBe(original[place]);
        seen.all++;
        if (now === mask?.id) seen.mask++;
        else if (now === original[place]) seen.kept++;
        else seen.other++;
      });
      const others = Array.from(tokensOf(encoded)).filter((_, place) => !places.includes(place));
      expect(others).toEqual(Array.from(original).filter((_, place) => !places.includes(place)));
    }
    expect(Math.abs(seen.mask / seen.all - 0.8)).toBeLessThan(SHARE_ERROR);
    expect(Math.abs(seen.other / seen.all - 0.1)).toBeLessThan(SHARE_ERROR);
    expect(Math.abs(seen.kept / seen.all - 0.1)).toBeLessThan(SHARE_ERROR);
  });

  it('are never special ones, nor are these put in', () => {
    const ids = Int32Array.from([2, 4, 1, 0, 12, 3]);
    for (let i = 0; i < 500; i++) {
      const { encoded } = vary(encodedText({ ids }), stream(2, 'special', i));
      expect(Array.from(encoded.places ?? [])).toEqual([4]);
      const now = tokensOf(encoded)[4] ?? -1;
      expect(now === mask?.id || !special.has(now)).toBe(true);
    }
    expect(vary(encodedText({ ids: Int32Array.from([2, 3]) }), stream(1, 'none')).encoded.places).toHaveLength(0);
  });

  it('are others in every draw, as many, and of the text as it was written', () => {
    const first = vary(example, stream(1, 'a'));
    const second = vary(first.encoded, stream(1, 'b'));
    expect(Array.from(second.encoded.places ?? [])).not.toEqual(Array.from(first.encoded.places ?? []));
    expect(tokensOf(asWritten(second.encoded))).toEqual(original);
  });

  it('are the same of a text wherever it stands in data', async () => {
    const texts = counting(20, 'fixed');
    const there = await fillMask.encode(model, texts, 16);
    const back = await fillMask.encode(model, texts.toReversed(), 16);
    expect(back.toReversed()).toEqual(there);
  });

  it('follow from the words alone, whatever else is known of a text and wherever it stands', async () => {
    const [text = '', pair = ''] = counting(2, 'somewhere');
    const hiddenIn = async (input: Parameters<typeof fillMask.encode>[1][number]) => {
      const [one] = await fillMask.encode(model, [input], 32);
      return one?.byRole;
    };
    const plain = await hiddenIn(text);
    expect(await hiddenIn({ text })).toEqual(plain);
    expect(await hiddenIn(Object.assign({ id: 7, text }, { target: 3 }))).toEqual(plain);
    expect(await hiddenIn(Object.assign({ text }, { id: 8 }))).toEqual(plain);
    const both = await hiddenIn({ text, pair });
    expect(await hiddenIn(Object.assign({ pair, id: 9 }, { text }))).toEqual(both);
    expect(await hiddenIn({ text: pair, pair: text })).not.toEqual(both);
  });
});

describe('a model that fills them in', () => {
  it('learns what stands behind masks, with other masks at every update, to the same bytes after an interruption', async () => {
    const model = fillMask.fit(encoder(), []);
    const request = async () =>
      tinyRequest({
        ...{ model, task: fillMask, options: { ...options, epochs: 14 } },
        phases: [{ losses: fillMask.targetLosses(settings), until: 1 }],
        examples: await examplesFor(model, counting(300, 'train')),
        validation: await examplesFor(model, counting(80, 'validation')),
      });
    const whole = await train(await request());
    const scores = whole.summary.curve.flatMap(({ score }) => score ?? []);
    // 24 letters: some 3.1 without reading.
    expect(scores[0]).toBeGreaterThan(2.5);
    expect(whole.summary.best?.score).toBeLessThan(1.8);
    const checkpoints = memoryCheckpoints();
    const controller = new AbortController();
    let left = 33;
    const hook = { afterUpdate: () => void (--left === 0 && controller.abort(new Error('interrupted'))) };
    const stopped = train({ ...(await request()), checkpoints, hook, signal: controller.signal });
    await expect(stopped).rejects.toThrow('interrupted');
    const resumed = await train({ ...(await request()), checkpoints });
    expect(bytesOfModel(resumed.model)).toBe(bytesOfModel(whole.model));
  });

  it('learns from a teacher that answers about the very masks of an update, and from its hidden states beside', async () => {
    const teacher = fillMask.fit(encoder({ layers: 3 }), []);
    const student = fillMask.fit(encoder({}), []);
    const beside = { model: fillMask.answering(teacher) };
    const shares = { ...settings, hard: 0, beside };
    const hidden = hiddenStates(student, beside, { pairs: layerPairs(2, 3, 'uniform'), weight: 1 });
    const step = buildStep(fillMask.answering(student), { losses: [distillation(shares), hidden] });
    const copies = step.graph.nodes.filter(({ op, name }) => op === 'Softmax' && name.startsWith('teacher/'));
    expect(copies).toHaveLength(3);
    const { summary } = await train(
      tinyRequest({
        ...{ model: student, task: fillMask, options: { ...options, epochs: 4 } },
        phases: [{ losses: [distillation(shares), hidden], until: 1 }],
        examples: await examplesFor(student, counting(200, 'train')),
        validation: await examplesFor(student, counting(40, 'validation')),
      }),
    );
    const [first, last] = [summary.curve[0]?.loss ?? 0, summary.curve.at(-1)?.loss ?? 0];
    expect(last).toBeLessThan(first / 2);
  });

  it('has a teacher say of its own tokens what the student has fewer of', async () => {
    const teacher = fillMask.fit(encoder(), []);
    const ids = Int32Array.from({ length: 20 }, (_, id) => id);
    const small: Model = {
      ...fillMask.fit(encoder({ vocabulary: 20 }), []),
      tokenizer: trainWordPiece([], { size: 20 }),
    };
    const beside = { model: fillMask.answering(teacher), ids };
    const answering = fillMask.answering(small);
    const step = buildStep(answering, { losses: [distillation({ ...settings, hard: 0, beside })] });
    expect(step.graph.outputs.length).toBeGreaterThan(3);
  });

  it('computes scores of the vocabulary at masks alone, also where a text has none', async () => {
    const model = fillMask.fit(encoder(), []);
    const answering = fillMask.answering(model);
    expect(answerPort(answering.info.signature).axes).toEqual(['answers', 'width']);
    const encoded = await fillMask.encode(model, ['', 'a b c d e f g', 'x'], 16);
    const { rows, answers } = await predict({
      model,
      task: fillMask,
      examples: encoded,
      threads: 1,
      batching: 'single',
    });
    expect(Array.from(answers.starts)).toEqual([0, 0, 1, 2]);
    const everywhere = { ...fillMask, answering: (one: Model) => one };
    const all = await predict({ model, task: everywhere, examples: encoded, threads: 1, batching: 'length' });
    expect(largestDifference(Array.from(rows.data), Array.from(all.rows.data))).toBeLessThan(ROUNDING);
  });

  it('moves its embeddings by what looks them up and by what scores tokens with them', async () => {
    const model = fillMask.fit(encoder(), []);
    const { encoded, targets } = await examplesFor(model, counting(6, 'gradient'));
    const answering = fillMask.answering(model);
    const step = buildStep(answering, { losses: [crossEntropy(settings)] });
    const at = step.parameters.findIndex(({ gradient }) => gradient.kind === 'rows' && gradient.dense !== undefined);
    const { name = '' } = step.parameters[at] ?? {};
    expect(name).toBe('embeddings.word_embeddings.weight');
    const program = await cpuEngine.compile(step.graph, { threads: 1 });
    const runner = new GradientRunner(step, program, trainingMemory(step.parameters));
    const feeder = new BatchFeeder(answering.info, { examples: { encoded, targets }, seed: 1, options });
    const batch = { rows: Int32Array.from(encoded.keys()), length: Math.max(...encoded.map(({ length }) => length)) };
    const size = sizeOfUpdate([batch], feeder.answers);
    const feeds = feeder.feeds(step.inputs, { batch, size, step: 0 });
    const weights = weightFeeds(step.graph, model, []);
    const table = weights[name];
    if (!(table?.data instanceof Float32Array)) throw new Error('the table is fed');
    const lossAt = async (move: (i: number) => number): Promise<number> => {
      runner.reset();
      const data = (table.data as Float32Array).map((x, i) => x + move(i));
      return (await runner.run({ ...weights, ...feeds, [name]: { ...table, data } })).loss;
    };
    await lossAt(() => 0);
    const gradient = Float32Array.from(runner.gradients[at] ?? []);
    const norm = Math.hypot(...gradient);
    const [up, down] = [
      await lossAt((i) => (1e-3 * (gradient[i] ?? 0)) / norm),
      await lossAt((i) => (-1e-3 * (gradient[i] ?? 0)) / norm),
    ];
    expect(Math.abs((up - down) / 2e-3 / norm - 1)).toBeLessThan(0.02);
    // A second batch of the same update adds up, in either part.
    runner.reset();
    await runner.run({ ...weights, ...feeds });
    await runner.run({ ...weights, ...feeds });
    expect(
      largestDifference(
        Array.from(runner.gradients[at] ?? []),
        Array.from(gradient, (x) => 2 * x),
      ),
    ).toBeLessThan(1e-5);
    await program.release();
  });

  it('is judged in 8 bits at every place, as it is shipped', async () => {
    const model = fillMask.fit(encoder({ hidden: 64, ffn: 128 }), []);
    const { graph } = quantizeWeights(fuseForInference(model.graph), {
      embeddings: true,
      reduceRange: false,
      exclude: [],
    });
    const small = { ...model, graph };
    expect(fillMask.answering(small)).toBe(small);
    const encoded = await fillMask.encode(model, counting(5, 'eight bits'), 16);
    const ask = (one: Model) =>
      predict({ model: one, task: fillMask, examples: encoded, threads: 1, batching: 'single' });
    const [exact, rounded] = [await ask(model), await ask(small)];
    const scale = Math.max(...exact.rows.data.map(Math.abs));
    expect(largestDifference(Array.from(exact.rows.data), Array.from(rounded.rows.data))).toBeLessThan(0.1 * scale);
  });

  it('gives its encoder to other tasks, also after its layers were cut', () => {
    const model = fillMask.fit(encoder(), []);
    const tagged = taskOf('token-classification').fit(model, ['A', 'B']);
    expect(tagged.info.labels).toEqual(['A', 'B']);
    expect(withoutWordHead(model).info.task).toBe('features');
    expect(() => fillMask.fit(tagged, [])).toThrow(
      'the model is made for token-classification, the data is for fill-mask; start from a model without a head',
    );
  });

  it('needs a tokenizer with a mask', () => {
    const model = encoder();
    const added = (tokenizer.added_tokens as readonly { content: string }[]).filter(
      ({ content }) => content !== '[MASK]',
    );
    const without = { ...model, tokenizer: { ...tokenizer, added_tokens: added } };
    expect(() => fillMask.fit(without, [])).toThrow("the model's tokenizer has no mask token ([MASK] or <mask>)");
  });
});

const masked = goldenNames.filter((name) => name.endsWith('-mlm') || name === 'bert-untied');

/** Where PyTorch's logits are at some places, (answers, vocabulary). */
const atSome = (name: string, places: readonly number[]): readonly number[] => {
  const { dims, values } = expectedOf(name);
  const width = dims.at(-1) ?? 0;
  return places.flatMap((place) => values.slice(place * width, (place + 1) * width));
};

const batchOf = (name: string): { readonly encoded: readonly Encoded[]; readonly places: readonly number[] } => {
  const { ids, mask, types } = expectedOf(name);
  const length = ids[0]?.length ?? 0;
  const encoded = ids.map((row, b) => {
    const own = (mask[b] ?? []).filter((kept) => kept === 1).length;
    const typed = types === undefined ? {} : { types: Uint8Array.from((types[b] ?? []).slice(0, own)) };
    return { ...encodedText({ ids: Int32Array.from(row.slice(0, own)), ...typed }), places: Int32Array.of(1, own - 1) };
  });
  return { encoded, places: encoded.flatMap(({ places }, b) => Array.from(places, (place) => b * length + place)) };
};

describe.each(masked)('the checkpoint %s', (name) => {
  it('answers at places alone as PyTorch does there', async () => {
    const model = await importGolden(name);
    expect(model.info.task).toBe('fill-mask');
    const answering = atPlaces(model);
    expect(inputOf(answering.info.signature, 'places')).toBe('places');
    const { encoded, places } = batchOf(name);
    const { rows } = await predict({ model, task: fillMask, examples: encoded, threads: 1, batching: 'length' });
    expect(largestDifference(Array.from(rows.data), atSome(name, places))).toBeLessThan(1e-3);
  });

  it('is fitted as it is, and trains from its first to its last weight', async () => {
    const model = await importGolden(name);
    expect(fillMask.fit(model, [])).toBe(model);
    const step = buildStep(fillMask.answering(model), { losses: [crossEntropy(settings)] });
    const whole = buildStep(model, { losses: [crossEntropy(settings)] });
    expect(step.parameters.map((one) => one.name).sort()).toEqual(whole.parameters.map((one) => one.name).sort());
  });
});

describe('a new head', () => {
  it.each(goldenNames.filter((name) => name.endsWith('-features')))('fits the encoder of %s', async (name) => {
    const model = await importGolden(name);
    const made = withMaskedHead(model, 'fill-mask');
    const { vocabulary = 0 } = anatomyOf(model.graph);
    expect(made.graph.types.get(answerPort(made.info.signature).name)?.shape?.at(-1)).toBe(vocabulary);
    const [said = []] = await runGolden(made, [expectedOf(name)]);
    expect(said.every(Number.isFinite)).toBe(true);
    expect(Math.max(...said) - Math.min(...said)).toBeGreaterThan(0.01);
    expect(inputOf(atPlaces(made).info.signature, 'places')).toBe('places');
  });
});
