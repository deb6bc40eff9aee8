import { describe, expect, it } from 'vitest';
import { isKnown, targetsOf } from '../../data/answer-targets.ts';
import { stream } from '../../data/random.ts';
import type { HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { binaryCrossEntropy, type Loss, type LossSettings } from '../../engine/losses/index.ts';
import type { LossInput, StepScope } from '../../engine/losses/loss.ts';
import type { StepBatch } from '../../engine/step-batch.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { differentiate } from '../../graph/differentiate.ts';
import { type Value, value } from '../../graph/graph.ts';
import { imitation } from './imitating.ts';
import { tinySettings } from './rig.ts';

/** Float32 against float64: some roundings of values of size 1. */
const ROUNDED = 2e-6;

const CLASSES = 3;
const TEXTS = 4;

/** What the losses read of a batch of texts, one answer each. */
const batchOf = (sets: ArrayLike<number>, teacher?: Float32Array): StepBatch => ({
  ...{ numbers: Int32Array.from([0, 1, 2, 3]), rows: Int32Array.from([0, 1, 2, 3]), dims: [TEXTS] },
  batch: { rows: Int32Array.from([0, 1, 2, 3]), length: 1 },
  size: { answers: TEXTS, tokens: TEXTS },
  done: 0,
  examples: [],
  targets: { width: CLASSES, data: Int32Array.from(sets) },
  teacher:
    teacher === undefined
      ? undefined
      : { width: CLASSES, columns: CLASSES, data: teacher, unread: Uint8Array.of(0, 0, 0, 1) },
  given: () => {
    throw new Error('no loss of answers reads the texts');
  },
});

/** The loss of these logits and its gradient in them. */
const computed = async (loss: Loss, logits: Float32Array, batch: StepBatch) => {
  const builder = new GraphBuilder('loss');
  const answers = builder.input('logits', 'float32', [TEXTS, CLASSES]);
  const inputs = new Map<string, LossInput>();
  const scope: StepScope = {
    ...{ builder, answers },
    input: (input) => {
      const known = inputs.get(input.name);
      if (known !== undefined) return value(known.name);
      inputs.set(input.name, input);
      return builder.input(input.name, input.dtype, input.shape ?? []);
    },
    given: () => answers,
    join: () => (name) => name,
    ascent: (rising) => rising,
    student: (name: Value) => name,
    parameter: () => answers,
  };
  const total = loss.emit(scope);
  const gradient = differentiate(builder, total, [answers]).get(answers);
  if (gradient === undefined) throw new Error('the loss does not depend on the logits');
  const program = await cpuEngine.compile(builder.freeze([total, gradient]), { threads: 1 });
  const fed = [...inputs.values()].map(({ name, feed }): readonly [string, HostTensor] => [name, feed(batch)]);
  const said = await program.run({
    ...Object.fromEntries(fed),
    logits: { dtype: 'float32', dims: [TEXTS, CLASSES], data: logits },
  });
  await program.release();
  return { loss: Number(said[total]?.data[0]), gradient: Array.from(said[gradient]?.data ?? [], Number) };
};

const logistic = (z: number): number => 1 / (1 + Math.exp(-z));
/** log sigmoid(z), exact where z is large. */
const logOf = (z: number): number => (z > 0 ? -Math.log1p(Math.exp(-z)) : z - Math.log1p(Math.exp(z)));

const crossEntropyOf = (logits: ArrayLike<number>, { targets }: StepBatch, settings: LossSettings): number => {
  const { hard, labelSmoothing: s, classWeights } = settings;
  let sum = 0;
  for (let text = 0; text < TEXTS; text++) {
    if (!isKnown(targets, text)) continue;
    targetsOf(targets, text).forEach((has, c) => {
      const y = (1 - s) * has + s / 2;
      const z = logits[text * CLASSES + c] ?? Number.NaN;
      sum -= (classWeights?.[c] ?? 1) * y * logOf(z) + (1 - y) * logOf(-z);
    });
  }
  return (hard * sum) / (TEXTS * CLASSES);
};

const divergenceOf = (logits: ArrayLike<number>, { teacher, targets }: StepBatch, T: number, hard: number): number => {
  let sum = 0;
  for (let text = 0; text < TEXTS; text++) {
    if (teacher?.unread[text] === 1) continue;
    const share = isKnown(targets, text) ? 1 - hard : 1;
    for (let c = 0; c < CLASSES; c++) {
      const [t, z] = [(teacher?.data[text * CLASSES + c] ?? 0) / T, (logits[text * CLASSES + c] ?? 0) / T];
      const [p, q] = [logistic(t), logistic(-t)];
      sum += share * (p * (logOf(t) - logOf(z)) + q * (logOf(-t) - logOf(-z)));
    }
  }
  return (T * T * sum) / (TEXTS * CLASSES);
};

const STEP = 1e-4;

/** The same in float64, and its slope by central differences. */
const expectAgreement = async (
  loss: Loss,
  logits: Float32Array,
  batch: StepBatch,
  exact: (z: ArrayLike<number>) => number,
) => {
  const { loss: measured, gradient } = await computed(loss, logits, batch);
  expect(Math.abs(measured - exact(logits))).toBeLessThan(ROUNDED * Math.max(1, Math.abs(measured)));
  gradient.forEach((slope, at) => {
    const moved = (by: number): number => exact(Float64Array.from(logits, (z, i) => z + (i === at ? by : 0)));
    const wanted = (moved(STEP) - moved(-STEP)) / (2 * STEP);
    expect({ at, slope, close: Math.abs(slope - wanted) < ROUNDED }).toMatchObject({ at, close: true });
  });
};

/** The second text has no class, and of the third nothing is known. */
const sets = [1, 0, 1, 0, 0, 0, -1, -1, -1, 0, 1, 1];
const drawn = (purpose: string, size: number): Float32Array => {
  const random = stream(3, purpose);
  return Float32Array.from({ length: TEXTS * CLASSES }, () => size * random.normal());
};

describe('binary cross-entropy', () => {
  it.each([
    ['as it is', { ...tinySettings, labelSmoothing: 0 }],
    [
      'smoothed, with weights, beside a teacher',
      { ...tinySettings, hard: 0.3, classWeights: Float64Array.of(1, 3, 0.5) },
    ],
  ])('is that of each class alone, %s', async (_, settings) => {
    const batch = batchOf(sets);
    const logits = drawn('logits', 2);
    await expectAgreement(binaryCrossEntropy(settings), logits, batch, (z) => crossEntropyOf(z, batch, settings));
  });

  it('pushes as hard at 0, where a new head begins, and stays finite where a model is very sure', async () => {
    const plain = { ...tinySettings, labelSmoothing: 0 };
    const batch = batchOf(sets);
    const zero = await computed(binaryCrossEntropy(plain), new Float32Array(TEXTS * CLASSES), batch);
    expect(zero.gradient.slice(0, 3)).toEqual([-0.5, 0.5, -0.5].map((g) => Math.fround(g / 12)));
    const sure = Float32Array.from({ length: TEXTS * CLASSES }, (_, i) => (i % 2 === 0 ? 300 : -300));
    await expectAgreement(binaryCrossEntropy(plain), sure, batch, (z) => crossEntropyOf(z, batch, plain));
  });

  it('has no part in texts of which nothing is known', async () => {
    const { gradient } = await computed(binaryCrossEntropy(tinySettings), drawn('logits', 1), batchOf(sets));
    expect(gradient.slice(6, 9)).toEqual([0, 0, 0]);
    expect(gradient.slice(3, 6).every((slope) => slope > 0)).toBe(true);
  });
});

const classDistillation = ({ hard, temperature }: LossSettings): Loss =>
  imitation({ uses: 'kl' }, { answer: 'set', hard, temperature });

describe('distillation by class', () => {
  it.each([1, 2, 5])(
    'is T^2 times the divergence of each class from the teacher, at a temperature of %s',
    async (T) => {
      const batch = batchOf(sets, drawn('teacher', 3));
      const settings = { ...tinySettings, temperature: T, hard: 0.25 };
      await expectAgreement(classDistillation(settings), drawn('logits', 2), batch, (z) =>
        divergenceOf(z, batch, T, 0.25),
      );
    },
  );

  it('is nothing between equals, and finite between opposites', async () => {
    const teacher = drawn('teacher', 3);
    const { loss, gradient } = await computed(classDistillation(tinySettings), teacher.slice(), batchOf(sets, teacher));
    expect(Math.abs(loss)).toBeLessThan(ROUNDED);
    expect(gradient.every((slope) => Math.abs(slope) < ROUNDED)).toBe(true);
    const opposite = await computed(
      classDistillation(tinySettings),
      new Float32Array(TEXTS * CLASSES).fill(-200),
      batchOf(sets, new Float32Array(TEXTS * CLASSES).fill(200)),
    );
    expect(Number.isFinite(opposite.loss)).toBe(true);
    expect(opposite.gradient.every(Number.isFinite)).toBe(true);
  });
});
