import { describe, expect, it } from 'vitest';
import { idTargets, type Targets, targetOf, unknownTargets } from '../../data/answer-targets.ts';
import { type Stream, stream } from '../../data/random.ts';
import { type Encoded, encodedText, tokensOf } from '../../engine/encoded.ts';
import { crossEntropy } from '../../engine/losses/index.ts';
import { type Loss, rowsShape } from '../../engine/losses/loss.ts';
import { predict } from '../../engine/predict.ts';
import { answerNumbers, answerRows } from '../../engine/step-batch.ts';
import { textClassification } from '../../engine/tasks/classification.ts';
import type { Task, Varied } from '../../engine/tasks/task.ts';
import { train } from '../../engine/train.ts';
import type { TrainingExamples } from '../../engine/training-options.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import { value } from '../../graph/graph.ts';
import { withHead } from '../../models/head.ts';
import type { Model } from '../../models/model.ts';
import { answering, answerName, type Port } from '../../models/signature.ts';
import { bytesOfModel, memoryCheckpoints, tinyModel, tinyOptions, tinyRequest, tinySettings } from './rig.ts';

/*
 * Tasks that answer otherwise than those in engine/tasks, made of nothing but a record and a loss: feeds, updates, validation
 * and prediction know no task, so they need no change for another one.
 */

const options = { ...tinyOptions, epochs: 12, tokenDropout: 0, headLearningRate: 2e-2, learningRate: 1e-2 };

const silent: Pick<Task, 'encode' | 'fit' | 'imitation' | 'answering' | 'tell'> = {
  encode: textClassification.encode,
  fit: (model) => model,
  imitation: 'kl',
  answering: (model) => model,
  tell: (vector = new Float32Array()) => ({ vector: [...vector] }),
};

const texts = (count: number, purpose: string): readonly Encoded[] => {
  const random = stream(5, purpose);
  return Array.from({ length: count }, () =>
    encodedText({ ids: Int32Array.from({ length: 4 + random.integer(6) }, () => 3 + random.integer(30)) }),
  );
};

const has = (example: Encoded, token: number): number => Number(Array.from(tokensOf(example)).includes(token));

/** Whether an answer has a target at all: its weight in the mean. */
const meanWeight = { name: 'answer_weights', dtype: 'float32' } as const;

const rowOf = ({ data, width }: Targets, answer: number) => data.subarray(answer * width, (answer + 1) * width);

/** Several classes a text, each a question of its own: L = sum_i w_i sum_c max(z, 0) - z t + log(1 + exp(-|z|)). */
const separately: Loss = {
  name: 'binary-cross-entropy',
  emit: (scope) => {
    const { builder, answers: z } = scope;
    const t = scope.input({
      ...{ name: 'answer_targets', dtype: 'float32', shape: builder.type(z).shape },
      feed: (batch) => answerRows(batch, batch.targets.width, (answer, row) => row.set(rowOf(batch.targets, answer))),
    });
    const weights = scope.input({
      ...{ ...meanWeight, shape: rowsShape(scope) },
      feed: (batch) => answerNumbers(batch, () => 1 / batch.size.answers),
    });
    const decay = builder.op('Exp', [builder.op('Neg', [builder.op('Abs', [z])])]);
    const soft = builder.op('Log', [builder.op('Add', [decay, builder.scalar('float32', 1)])]);
    const hard = builder.op('Sub', [builder.op('Relu', [z]), builder.op('Mul', [z, t])]);
    const each = builder.op('ReduceSum', [builder.op('Add', [hard, soft]), builder.ints([-1])], { keepdims: 0 });
    return builder.op('ReduceSum', [builder.op('Mul', [each, weights])], { keepdims: 0 });
  },
};

const CLASSES = ['five', 'six', 'seven'];
const severalClasses: Task = {
  ...silent,
  name: 'text-classification',
  targetLosses: () => [separately],
  judge: (logits, { targets }, answer) => {
    const wanted = rowOf(targets, answer);
    const right = logits.every((logit, c) => Number(logit > 0) === wanted[c]);
    return {
      score: Number(right),
      loss: logits.reduce((sum, z, c) => sum + Math.log1p(Math.exp(wanted[c] ? -z : z)), 0),
    };
  },
};

describe('several classes a text', () => {
  const examples = (count: number, purpose: string): TrainingExamples => {
    const encoded = texts(count, purpose);
    const sets = encoded.flatMap((one) => CLASSES.map((_, c) => has(one, 5 + c)));
    return { encoded, targets: { width: CLASSES.length, data: Int32Array.from(sets) } };
  };

  it('are learned, each by itself', async () => {
    const model = withHead(tinyModel({ labels: [] }), { task: 'text-classification', at: 'texts', labels: CLASSES });
    const { summary } = await train(
      tinyRequest({
        ...{ model, options, task: severalClasses, phases: [{ losses: [separately], until: 1 }] },
        ...{ examples: examples(300, 'train'), validation: examples(100, 'validation') },
      }),
    );
    const accuracies = summary.curve.flatMap(({ score }) => score ?? []);
    expect(accuracies[0]).toBeLessThan(0.8);
    expect(summary.best?.score).toBeGreaterThan(0.95);
  });
});

/** One number a text: L = sum_i w_i (z_i - t_i)^2. */
const squares: Loss = {
  name: 'squares',
  emit: (scope) => {
    const { builder, answers: z } = scope;
    const t = scope.input({
      ...{ name: 'answer_targets', dtype: 'float32', shape: builder.type(z).shape },
      feed: (batch) => answerRows(batch, 1, (answer, row) => row.set(rowOf(batch.targets, answer))),
    });
    const weights = scope.input({
      ...{ ...meanWeight, shape: rowsShape(scope) },
      feed: (batch) => answerNumbers(batch, () => 1 / batch.size.answers),
    });
    const error = builder.op('Sub', [z, t]);
    const each = builder.op('ReduceSum', [builder.op('Mul', [error, error]), builder.ints([-1])], { keepdims: 0 });
    return builder.op('ReduceSum', [builder.op('Mul', [each, weights])], { keepdims: 0 });
  },
};

const oneNumber: Task = {
  ...silent,
  name: 'text-classification',
  targetLosses: () => [squares],
  judge: ([z = 0], { targets }, answer) => {
    const loss = (z - targetOf(targets, answer)) ** 2;
    return { score: -loss, loss };
  },
};

describe('one number a text', () => {
  const examples = (count: number, purpose: string): TrainingExamples => {
    const encoded = texts(count, purpose);
    return { encoded, targets: { width: 1, data: Float32Array.from(encoded, (one) => has(one, 5) - 2 * has(one, 6)) } };
  };

  it('is learned, below 0 and above 1, too', async () => {
    const model = withHead(tinyModel({ labels: [] }), {
      task: 'text-classification',
      at: 'texts',
      labels: [],
      columns: 1,
    });
    const trained = await train(
      tinyRequest({
        ...{ model, options, task: oneNumber, phases: [{ losses: [squares], until: 1 }] },
        ...{ examples: examples(300, 'train'), validation: examples(100, 'validation') },
      }),
    );
    // A constant answer would be off by 0.7.
    expect(trained.summary.best?.score).toBeGreaterThan(-0.1);
    const { encoded, targets } = examples(60, 'test');
    const { rows } = await predict({
      model: trained.model,
      task: oneNumber,
      examples: encoded,
      threads: 1,
      batching: 'length',
    });
    expect(rows).toMatchObject({ width: 1, columns: 1 });
    const low = rows.data.filter((_, i) => targetOf(targets, i) === -2);
    expect(low.length).toBeGreaterThan(3);
    expect(Math.max(...low)).toBeLessThan(-1);
  });
});

const MASK = 2;
const SHARE = 0.25;

/** Some places of a text with its own tokens there, and the mask where they stood. */
const masked = (example: Encoded, random: Stream): Varied => {
  const original = example.byRole.original ?? tokensOf(example);
  const count = Math.max(1, Math.round(SHARE * original.length));
  const order = Array.from(original.keys()).sort(() => random.uniform() - 0.5);
  const places = Int32Array.from(order.slice(0, count).sort((a, b) => a - b));
  const tokens = Int32Array.from(original, (id, at) => (places.includes(at) ? MASK : id));
  return {
    encoded: { ...example, byRole: { tokens, original }, places },
    targets: Array.from(places, (place) => original[place] ?? 0),
  };
};

/** The model with scores of all tokens, tied to the table that it looks up, at the places that are asked about alone. */
const atPlaces = (model: Model): Model => {
  const { graph, info } = model;
  const builder = GraphBuilder.from(graph);
  const places = builder.input('places', 'int64', [symbol('answers')]);
  const width = info.dimensions.hidden ?? 0;
  const rows = builder.op('Reshape', [answerName(info.signature), builder.ints([-1, width])]);
  const asked = builder.op('Gather', [rows, places]); // (answers, hidden)
  const table = value('embeddings.word_embeddings.weight');
  const turned = builder.op('Transpose', [table], { perm: [1, 0] });
  const logits = builder.op('MatMul', [asked, turned], {}, 'word_logits'); // (answers, vocabulary)
  const output: Port<'scores'> = { name: logits, role: 'scores', axes: ['answers', 'width'] };
  const signature = answering(info.signature, output);
  return {
    ...model,
    graph: builder.freeze([logits]),
    info: {
      ...info,
      signature: { ...signature, inputs: [...signature.inputs, { name: places, role: 'places', axes: ['answers'] }] },
    },
  };
};

const words: Task = {
  ...silent,
  name: 'features',
  targetLosses: (settings) => [crossEntropy(settings)],
  varying: () => masked,
  answering: atPlaces,
  judge: textClassification.judge,
};

describe('the tokens behind masks', () => {
  /** Every text counts upwards from somewhere. */
  const counting = (count: number, purpose: string): readonly Encoded[] => {
    const random = stream(9, purpose);
    return Array.from({ length: count }, () => {
      const first = 3 + random.integer(20);
      return encodedText({ ids: Int32Array.from({ length: 4 + random.integer(8) }, (_, i) => first + i) });
    });
  };
  const examples = (count: number, purpose: string): TrainingExamples => {
    const fixed = counting(count, purpose).map((one, i) => masked(one, stream(3, purpose, i)));
    return {
      encoded: fixed.map(({ encoded }) => encoded),
      targets: idTargets(fixed.flatMap(({ targets }) => Array.from(targets))),
    };
  };
  const requestOf = () =>
    tinyRequest({
      model: tinyModel({ labels: [] }),
      task: words,
      options: { ...options, epochs: 16 },
      phases: [{ losses: words.targetLosses({ ...tinySettings, labelSmoothing: 0 }), until: 1 }],
      ...{ examples: examples(300, 'train'), validation: examples(100, 'validation') },
    });

  it('are learned from other masks at every update, and told at those places alone', async () => {
    const { model, summary } = await train(requestOf());
    // One of 32 tokens by chance.
    expect(summary.best?.score).toBeGreaterThan(0.4);
    const { encoded, targets } = examples(40, 'test');
    const ask = (some: readonly Encoded[], batching: 'length' | 'single') =>
      predict({ ...{ model, task: words, examples: some, threads: 1, batching } });
    const { rows, answers } = await ask(encoded, 'length');
    expect(rows.data.length).toBe(40 * targets.data.length);
    expect(answers.starts.at(-1)).toBe(targets.data.length);
    const alone = await ask(encoded, 'single');
    rows.data.forEach((logit, i) => {
      expect(Math.abs(logit - (alone.rows.data[i] ?? Number.NaN))).toBeLessThan(1e-4);
    });
  });

  it('are the same again after an interruption', async () => {
    const short = { ...requestOf(), options: { ...options, epochs: 4 } };
    const whole = await train({ ...short, checkpoints: memoryCheckpoints() });
    const checkpoints = memoryCheckpoints();
    const controller = new AbortController();
    let left = 17;
    const hook = { afterUpdate: () => void (--left === 0 && controller.abort(new Error('interrupted'))) };
    await expect(train({ ...short, checkpoints, hook, signal: controller.signal })).rejects.toThrow('interrupted');
    const { model } = await train({ ...short, checkpoints });
    expect(bytesOfModel(model)).toBe(bytesOfModel(whole.model));
  });

  it('cost nothing where nothing is known of them', async () => {
    const { encoded } = examples(20, 'unknown');
    const count = encoded.reduce((sum, { places }) => sum + (places?.length ?? 0), 0);
    const { varying: _, ...fixed } = words;
    const once = { ...requestOf(), task: fixed, options: { ...options, epochs: 1 } };
    const { summary } = await train({ ...once, examples: { encoded, targets: unknownTargets(count) } });
    expect(summary.curve[0]?.loss).toBe(0);
  });
});
