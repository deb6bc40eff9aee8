import { describe, expect, it } from 'vitest';
import { numberTargets, targetOf, unknownTargets } from '../../data/answer-targets.ts';
import { stream } from '../../data/random.ts';
import { blankRows, putRow, type Rows } from '../../data/rows.ts';
import { type Encoded, encodedText, tokensOf } from '../../engine/encoded.ts';
import { predict } from '../../engine/predict.ts';
import { score } from '../../engine/tasks/score.ts';
import { train } from '../../engine/train.ts';
import type { TrainRequest } from '../../engine/train-request.ts';
import type { TrainingExamples } from '../../engine/training-options.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { spearmanOf } from '../../ground/metrics/correlation.ts';
import { trainingSummary } from '../../ground/reported/training.ts';
import { withHead } from '../../models/head.ts';
import type { Model } from '../../models/model.ts';
import { reinitialize } from '../../models/reinitialize.ts';
import { answering, answerName, textPort } from '../../models/signature.ts';
import { answerHead, withChangedAnswers } from '../../models/unit.ts';
import { usualImitation } from './imitating.ts';
import { bytesOfModel, memoryCheckpoints, tinyModel, tinyOptions, tinyRequest, tinySettings } from './rig.ts';

/** A unit that no weight drawn at random comes near. */
const MEAN = 2500;
const DEVIATION = 40;

const options = { ...tinyOptions, epochs: 10, tokenDropout: 0, learningRate: 1e-2, headLearningRate: 1e-2 };

/** How often a text has tokens of one kind, less those of another. */
const sizeOf = (example: Encoded): number =>
  Array.from(tokensOf(example)).reduce((sum, id) => sum + Number(id > 20) - Number(id < 10), 0);

const examplesIn = (count: number, purpose: string, unit = (x: number): number => MEAN + DEVIATION * x) => {
  const random = stream(3, purpose);
  const encoded = Array.from({ length: count }, () =>
    encodedText({ ids: Int32Array.from({ length: 4 + random.integer(6) }, () => 3 + random.integer(30)) }),
  );
  return { encoded, targets: numberTargets(encoded.map((one) => unit(sizeOf(one)))) };
};

const headed = (): Model => score.fit(tinyModel({ labels: [] }), []);

const requestOf = (overrides: Partial<TrainRequest> = {}): TrainRequest =>
  tinyRequest({
    ...{ model: headed(), options, task: score },
    phases: [{ losses: score.targetLosses(tinySettings), until: 1 }],
    ...{ examples: examplesIn(300, 'train'), validation: examplesIn(100, 'validation') },
    ...overrides,
  });

const numbersOf = async (model: Model, { encoded }: TrainingExamples): Promise<Float32Array> => {
  const { rows } = await predict({ model, task: score, examples: encoded, threads: 1, batching: 'length' });
  expect(rows.width).toBe(1);
  return rows.data;
};

const test = examplesIn(80, 'test');

const errorOf = (said: Float32Array, { targets }: TrainingExamples): number =>
  Math.sqrt(said.reduce((sum, x, i) => sum + (x - targetOf(targets, i)) ** 2, 0) / said.length);

const largestChange = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] ?? Number.NaN))), 0);

const asTeacher = (said: Float32Array): Rows => {
  const rows = blankRows(said.length, 1);
  said.forEach((x, i) => {
    putRow(rows, i, Float32Array.of(x));
  });
  return rows;
};

describe('numbers of a unit', () => {
  it('are learned whatever the unit is, and said in it', async () => {
    const { model, summary } = await train(requestOf());
    const said = await numbersOf(model, test);
    // Their own deviation is some 100; a head that had to grow into the unit would still be at 0.
    expect(errorOf(said, test)).toBeLessThan(DEVIATION);
    expect(spearmanOf({ count: said.length, columns: { said, truth: test.targets.data } })).toBeGreaterThan(0.9);
    expect(summary.best?.score).toBeGreaterThan(0.9);
  });

  it('cost the same training as their standard numbers', async () => {
    const plain = examplesIn(300, 'train', (x) => x);
    const [inUnit, inNone] = await Promise.all([
      train(requestOf()),
      train(requestOf({ examples: plain, validation: examplesIn(100, 'validation', (x) => x) })),
    ]);
    inUnit.summary.curve.forEach(({ loss }, i) => {
      expect(Math.abs(loss - (inNone.summary.curve[i]?.loss ?? Number.NaN))).toBeLessThan(0.01);
    });
  });

  it('go on in their unit where a model was trained before', async () => {
    const { model } = await train(requestOf());
    const before = await numbersOf(model, test);
    const still = { ...options, epochs: 1, learningRate: 1e-7, headLearningRate: 1e-7, keep: 'last' } as const;
    const { model: again } = await train(requestOf({ model, options: still }));
    // In float32 a number of 2,500 has steps of 0.0002.
    expect(largestChange(await numbersOf(again, test), before)).toBeLessThan(0.02);
  });

  it("are a teacher's where nothing else is known, in the teacher's unit", async () => {
    const { model: teacher } = await train(requestOf());
    const texts = examplesIn(300, 'train');
    const { model } = await train(
      requestOf({
        phases: [{ losses: usualImitation(score, { ...tinySettings, hard: 0 }), until: 1 }],
        examples: {
          ...{ encoded: texts.encoded, targets: unknownTargets(300) },
          teacher: asTeacher(await numbersOf(teacher, texts)),
        },
      }),
    );
    expect(largestChange(await numbersOf(model, test), await numbersOf(teacher, test))).toBeLessThan(3 * DEVIATION);
    expect(errorOf(await numbersOf(model, test), test)).toBeLessThan(DEVIATION);
  });

  it('come out the same after an interruption', async () => {
    const short = { ...options, epochs: 3 };
    const whole = await train(requestOf({ options: short }));
    const checkpoints = memoryCheckpoints();
    const controller = new AbortController();
    let left = 20;
    const hook = { afterUpdate: () => void (--left === 0 && controller.abort(new Error('interrupted'))) };
    const asked = { options: short, checkpoints };
    await expect(train(requestOf({ ...asked, hook, signal: controller.signal }))).rejects.toThrow('interrupted');
    const { model } = await train(requestOf(asked));
    expect(bytesOfModel(model)).toBe(bytesOfModel(whole.model));
  });

  it('begin at their mean where a shape starts from random weights', async () => {
    const { model: trained } = await train(requestOf());
    const nothing = { ...options, steps: 1, learningRate: 1e-9, headLearningRate: 1e-9, keep: 'last' } as const;
    const { model } = await train(requestOf({ model: reinitialize(trained, 4), options: nothing }));
    const said = await numbersOf(model, test);
    expect(largestChange(said, new Float32Array(said.length).fill(MEAN))).toBeLessThan(2 * DEVIATION);
  });

  it('of which all are equal move nothing and are no NaN', async () => {
    const same = examplesIn(60, 'train', () => 7);
    const { model, summary } = await train(
      requestOf({ examples: same, validation: same, options: { ...options, epochs: 1 } }),
    );
    expect(errorOf(await numbersOf(model, same), same)).toBeLessThan(0.01);
    // Nothing can be ranked: what training leaves says so in JSON, too.
    expect(summary.best).toBeNull();
    expect(trainingSummary.parse(JSON.parse(JSON.stringify(summary)))).toEqual(summary);
  });
});

describe('a model that puts a function behind its number', () => {
  const squashed = (): Model => {
    const model = headed();
    return { ...model, info: { ...model.info, processor: { ...model.info.processor, activation: 'sigmoid' } } };
  };
  const share = (x: number): number => 1 / (1 + Math.exp(-x / 2));

  it('answers by it, and learns as it is', async () => {
    const examples = examplesIn(300, 'train', share);
    const validation = examplesIn(100, 'validation', share);
    const { model } = await train(requestOf({ model: squashed(), examples, validation }));
    const held = examplesIn(80, 'test', share);
    const said = await numbersOf(model, held);
    expect(Math.min(...said)).toBeGreaterThan(0);
    expect(Math.max(...said)).toBeLessThan(1);
    expect(errorOf(said, held)).toBeLessThan(0.2);
  });
});

describe('numbers that a Sigmoid never gives', () => {
  it('are refused with one of them', async () => {
    const model = headed();
    const processor = { ...model.info.processor, activation: 'sigmoid' } as const;
    const examples = examplesIn(30, 'train', (x) => x);
    await expect(
      train(requestOf({ model: { ...model, info: { ...model.info, processor } }, examples })),
    ).rejects.toThrow(
      /^the model puts a Sigmoid behind its number, which stays between 0 and 1; the data has -?\d+: bring the column into that range, or import the model with 'head: new'$/,
    );
  });
});

describe('the head of answers in a unit', () => {
  const random = (model: Model): Model => {
    const head = answerHead(model);
    if (head === undefined) throw new Error('there is a head');
    return withChangedAnswers(reinitialize(model, 2), head, { factor: 1, shift: 0 });
  };

  it('is found behind a bias, and changed by its weights alone', async () => {
    const model = tinyModel({ labels: ['one'] });
    const head = answerHead(model);
    expect(head?.bias).toBeDefined();
    if (head === undefined) return;
    const before = await numbersOf(model, test);
    const after = await numbersOf(withChangedAnswers(model, head, { factor: -3, shift: 10 }), test);
    expect(
      largestChange(
        after,
        before.map((x) => 10 - 3 * x),
      ),
    ).toBeLessThan(1e-5);
  });

  it('is none where something else follows, or where its weight is read twice', () => {
    const model = random(withHead(tinyModel({ labels: [] }), { task: 'score', at: 'texts', labels: [], columns: 1 }));
    const behind = (op: string): Model => {
      const builder = GraphBuilder.from(model.graph);
      const result = builder.op(op, [answerName(model.info.signature)]);
      const signature = answering(model.info.signature, textPort(result));
      return { ...model, graph: builder.freeze([result]), info: { ...model.info, signature } };
    };
    expect(answerHead(model)).toBeDefined();
    for (const op of ['Sigmoid', 'Tanh', 'Neg']) expect(answerHead(behind(op))).toBeUndefined();
    const builder = GraphBuilder.from(model.graph);
    const other = builder.weight('other', tensorOf('float32', [1, 1], Float32Array.of(2)));
    const twice = builder.op('MatMul', [builder.op('MatMul', [answerName(model.info.signature), other]), other]);
    const signature = answering(model.info.signature, textPort(twice));
    const again = { ...model, graph: builder.freeze([twice]), info: { ...model.info, signature } };
    expect(answerHead(again)).toBeUndefined();
  });
});
