import { describe, expect, it } from 'vitest';
import { idTargets } from '../../data/answer-targets.ts';
import { stream } from '../../data/random.ts';
import { BatchFeeder } from '../../engine/batch-feeder.ts';
import { encodedText, tokensOf } from '../../engine/encoded.ts';
import type { HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { addRows, GradientRunner } from '../../engine/gradients.ts';
import { hostTensorOf } from '../../engine/host.ts';
import { balancedClassWeights, crossEntropy, type Loss } from '../../engine/losses/index.ts';
import { MaskBuffers } from '../../engine/masks.ts';
import { buildEvaluation, buildLoss, buildStep, type TrainingStep } from '../../engine/step.ts';
import type { TrainingExamples } from '../../engine/training-options.ts';
import { trainingMemory } from '../../engine/training-state.ts';
import { differentiate } from '../../graph/differentiate.ts';
import { type Graph, value } from '../../graph/graph.ts';
import { float32Of, tensorOf } from '../../graph/tensor.ts';
import { withClassificationHead } from '../../models/head.ts';
import type { Model } from '../../models/model.ts';
import { distillation, hiddenStates, layerPairs } from './imitating.ts';
import { CLASSES, labelsAlone, tinyExamples, tinyModel, tinySettings } from './rig.ts';

/** Float32 sums in another order: a few hundred additions of roundings of 6e-8. */
const REORDERED = 2e-6;
/** Of central differences in float32: rounding of 1e-7 / DISTANCE against the curvature. */
const DISTANCE = 1e-2;
const DIFFERENCES = 1e-3;

const weightsOf = (model: Model, step: { readonly graph: Graph }): Record<string, HostTensor> =>
  Object.fromEntries(
    step.graph.inputs.flatMap((name) => {
      const tensor = model.graph.weights.get(name);
      return tensor === undefined ? [] : [[name, hostTensorOf(tensor)]];
    }),
  );

interface Computed {
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

interface Settings {
  readonly size?: number;
  /** Weights that take the place of the model's. */
  readonly extra?: Readonly<Record<string, HostTensor>>;
}

type Compute = (examples: TrainingExamples, settings?: Settings) => Promise<Computed>;

/** Nothing is dropped or varied. */
const untouched = { seed: 1, options: { tokenDropout: 0 } };

/** Compiles the step of a model and hands out a function for its loss and gradients, on batches of `size` texts. */
const withStep = async <T>(
  model: Model,
  losses: readonly Loss[],
  use: (compute: Compute, step: TrainingStep) => Promise<T>,
  dropout = 0,
  memory: 'planned' | 'pooled' = 'pooled',
): Promise<T> => {
  const step = buildStep(model, { losses, dropout });
  const program = await cpuEngine.compile(step.graph, { threads: 4, optimization: 'all', memory, training: true });
  const runner = new GradientRunner(step, program, trainingMemory(step.parameters));
  try {
    return await use(async (examples, { size, extra } = {}) => {
      const feeder = new BatchFeeder(model.info, { ...untouched, examples });
      const all = Int32Array.from(examples.encoded, (_, i) => i);
      const whole = { answers: all.length, tokens: examples.encoded.reduce((sum, { length }) => sum + length, 0) };
      let loss = 0;
      let terms = {};
      runner.reset();
      for (let at = 0; at < all.length; at += size ?? all.length) {
        const rows = all.subarray(at, at + (size ?? all.length));
        const length = Math.max(...Array.from(rows, (row) => examples.encoded[row]?.length ?? 0));
        const feeds = feeder.feeds(step.inputs, { batch: { rows, length }, size: whole, step: 0 });
        const result = await runner.run({ ...weightsOf(model, step), ...extra, ...feeds });
        loss += result.loss;
        terms = result.terms;
      }
      return { loss, terms, gradients: gradientMap(step, runner) };
    }, step);
  } finally {
    await program.release();
  }
};

const compute = (
  model: Model,
  losses: readonly Loss[],
  examples: TrainingExamples,
  settings?: Settings,
): Promise<Computed> => withStep(model, losses, (run) => run(examples, settings));

const gradientMap = (step: TrainingStep, runner: GradientRunner): ReadonlyMap<string, Float32Array> =>
  new Map(step.parameters.map(({ name }, i) => [name, Float32Array.from(runner.gradients[i] ?? [])]));

/** Embeddings of size 1 instead of 0.02: layer normalisation of small ones is too steep for differences in float32. */
const withLargeEmbeddings = (model: Model): Model => {
  const weights = new Map(model.graph.weights);
  for (const [name, tensor] of weights) {
    if (!name.endsWith('_embeddings.weight')) continue;
    const data = float32Of(tensor).map((x) => 50 * x);
    weights.set(name, tensorOf('float32', tensor.dims, data));
  }
  return { ...model, graph: { ...model.graph, weights } };
};

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs((a[i] ?? 0) - (b[i] ?? 0)));
  return largest;
};

const softmax = (z: readonly number[]): number[] => {
  const top = Math.max(...z);
  const e = z.map((x) => Math.exp(x - top));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((x) => x / sum);
};

const logitsOf = async (model: Model, { encoded }: TrainingExamples): Promise<number[][]> => {
  const graph = buildEvaluation(model);
  const program = await cpuEngine.compile(graph, { threads: 1 });
  const rows: number[][] = [];
  for (const text of encoded.map(tokensOf)) {
    const dims = [1, text.length];
    const feeds: Record<string, HostTensor> = {
      input_ids: { dtype: 'int64', dims, data: BigInt64Array.from([...text], BigInt) },
      attention_mask: { dtype: 'int64', dims, data: new BigInt64Array(text.length).fill(1n) },
    };
    const { logits } = await program.run({ ...weightsOf(model, { graph }), ...feeds });
    rows.push(Array.from(logits?.data ?? [], Number));
  }
  await program.release();
  return rows;
};

describe('the order of a step', () => {
  it('lets the runtime go from the last layer to the first, with each gradient as soon as it can be', () => {
    const { graph, parameters } = buildStep(tinyModel(), { losses: [labelsAlone], dropout: 0 });
    const at = new Map(graph.nodes.flatMap(({ outputs }, i) => outputs.map((output) => [output, i] as const)));
    graph.nodes.forEach((node, i) => {
      for (const input of node.inputs) expect(input === null ? -1 : (at.get(input) ?? -1)).toBeLessThan(i);
    });
    const gradientAt = (name: string): number => {
      const gradient = parameters.find((one) => one.name === name)?.gradient;
      return gradient?.kind === 'dense' ? (at.get(value(gradient.output)) ?? -1) : -1;
    };
    const [lower = -1, upper = -1] = [0, 1].map((layer) => gradientAt(`encoder.layer.${layer}.output.dense.weight`));
    expect(lower).toBeGreaterThan(0);
    expect(upper).toBeGreaterThan(lower);
  });
});

describe('how the values of a step are held', () => {
  it('changes no bit of losses and gradients, over lengths that come again', async () => {
    const model = tinyModel();
    const batches = [5, 40, 12, 40, 5].map((count) => tinyExamples(count, `batch of ${count}`));
    const computed = async (memory: 'planned' | 'pooled'): Promise<readonly Computed[]> =>
      withStep(
        model,
        [labelsAlone],
        async (run) => {
          const results: Computed[] = [];
          for (const batch of batches) results.push(await run(batch));
          return results;
        },
        0,
        memory,
      );
    const [planned, pooled] = [await computed('planned'), await computed('pooled')];
    expect(pooled).toEqual(planned);
    expect(pooled[0]?.gradients.size).toBeGreaterThan(20);
    expect(pooled[1]?.gradients).not.toEqual(pooled[2]?.gradients);
  });
});

describe('a training step', () => {
  const examples = tinyExamples(24, 'step');

  it('has the loss of the label-smoothed cross-entropy', async () => {
    const model = tinyModel();
    const { loss } = await compute(model, [labelsAlone], examples);
    const rows = await logitsOf(model, examples);
    const expected = rows.map((z, i) =>
      softmax(z).reduce((sum, p, c) => sum - (0.1 / CLASSES + (c === examples.labels[i] ? 0.9 : 0)) * Math.log(p), 0),
    );
    expect(loss).toBeCloseTo(expected.reduce((a, b) => a + b, 0) / expected.length, 5);
  });

  it('has the loss T^2 KL(teacher || student), the label where there is one, and the right share of each', async () => {
    const model = tinyModel();
    const random = stream(2, 'teacher');
    const teacherLogits = Float32Array.from({ length: 24 * CLASSES }, () => 2 * random.normal());
    const labels = examples.labels.map((label, i) => (i % 3 === 0 ? label : -1));
    const quarter = { ...tinySettings, hard: 0.25 };
    const { terms } = await compute(model, [distillation(quarter), crossEntropy(quarter)], {
      ...{ encoded: examples.encoded, targets: idTargets(labels) },
      teacher: { width: CLASSES, columns: CLASSES, data: teacherLogits, unread: new Uint8Array(24) },
    });
    const rows = await logitsOf(model, examples);
    let soft = 0;
    let hard = 0;
    rows.forEach((z, i) => {
      const p = softmax([...teacherLogits.subarray(i * CLASSES, (i + 1) * CLASSES)].map((x) => x / 2));
      const q = softmax(z.map((x) => x / 2));
      const kl = p.reduce((sum, pc, c) => sum + pc * Math.log(pc / (q[c] ?? 1)), 0);
      soft += ((i % 3 === 0 ? 0.75 : 1) * 4 * kl) / 24;
      if (i % 3 !== 0) return;
      const logp = softmax(z).map(Math.log);
      hard -= (0.25 / 24) * logp.reduce((sum, x, c) => sum + x * (0.1 / CLASSES + (c === labels[i] ? 0.9 : 0)), 0);
    });
    expect(terms.kl).toBeCloseTo(soft, 5);
    expect(terms['cross-entropy']).toBeCloseTo(hard, 5);
  });

  it('has the loss of the cross-entropy that classes weigh by n / (k n_c), the rare as much as the frequent', async () => {
    const model = tinyModel();
    const labels = examples.labels.map((label, i) => (i % 4 === 0 ? label : 0));
    const classWeights = balancedClassWeights([...labels], CLASSES);
    const counts = Array.from({ length: CLASSES }, (_, c) => labels.filter((label) => label === c).length);
    expect([...classWeights]).toEqual(counts.map((count) => 24 / (CLASSES * count)));
    const balanced = crossEntropy({ ...tinySettings, classWeights });
    const { loss } = await compute(model, [balanced], { ...examples, targets: idTargets(labels) });
    const terms = (await logitsOf(model, examples)).map((z, i) => {
      const target = (c: number): number => 0.1 / CLASSES + (c === labels[i] ? 0.9 : 0);
      return -(classWeights[labels[i] ?? 0] ?? 0) * softmax(z).reduce((sum, p, c) => sum + target(c) * Math.log(p), 0);
    });
    expect(loss).toBeCloseTo(terms.reduce((a, b) => a + b, 0) / terms.length, 5);
  });

  const uneven = crossEntropy({ ...tinySettings, classWeights: Float64Array.of(0.2, 0.7, 2.1) });

  it.each([
    ['the labels', labelsAlone, 0],
    ['the labels, with dropout', labelsAlone, 0.2],
    ['labels of weighed classes', uneven, 0],
  ])('has gradients that central differences confirm: of %s', async (_, loss, dropout) => {
    const model = withLargeEmbeddings(tinyModel({ norm: 'post' }));
    const few = { encoded: examples.encoded.slice(0, 8), targets: idTargets(examples.labels.slice(0, 8)) };
    const symbols = { batch: 8, sequence: Math.max(...few.encoded.map(({ length }) => length)) };
    const check = async (run: Compute, step: TrainingStep): Promise<void> => {
      const masks = new MaskBuffers().draw(step.masks, symbols, stream(1, 'dropout'));
      const { gradients } = await run(few, { extra: masks });
      const random = stream(3, 'directions');
      expect(gradients.size).toBe(38);
      for (const [name, gradient] of gradients) {
        const tensor = hostTensorOf(
          model.graph.weights.get(value(name)) ?? tensorOf('float32', [0], new Float32Array()),
        );
        const direction = Float32Array.from(gradient, () => random.normal() / Math.sqrt(gradient.length));
        const moved = async (distance: number): Promise<number> => {
          const data = Float32Array.from(direction, (d, i) => Number(tensor.data[i]) + distance * d);
          return (await run(few, { extra: { ...masks, [name]: { ...tensor, data } } })).loss;
        };
        const measured = ((await moved(DISTANCE)) - (await moved(-DISTANCE))) / (2 * DISTANCE);
        const predicted = gradient.reduce((sum, g, i) => sum + g * (direction[i] ?? 0), 0);
        const close = Math.abs(measured - predicted) < DIFFERENCES;
        expect({ name, measured, predicted, close }).toMatchObject({ name, close: true });
      }
    };
    await withStep(model, [loss], check, dropout);
  });

  it('sums rows of the embedding as the one-hot product would, repeated ids on four threads included', async () => {
    const model = tinyModel();
    const repeated = {
      ...examples,
      encoded: examples.encoded.map((one) =>
        encodedText({ ids: Int32Array.from(tokensOf(one), (id, i) => (i % 2 === 0 ? 5 : id)) }),
      ),
    };
    const { gradients } = await compute(model, [labelsAlone], repeated);
    const name = 'embeddings.word_embeddings.weight';
    const dense = await denseTableGradient(model, name, repeated);
    expect(largestDifference(gradients.get(name) ?? [], dense)).toBeLessThan(REORDERED);
    expect(Math.max(...dense.map(Math.abs))).toBeGreaterThan(100 * REORDERED);
  });

  it('leaves nothing of the rows of an earlier batch in the gradient of a table', async () => {
    const model = tinyModel();
    const name = 'embeddings.word_embeddings.weight';
    const [some, others] = [
      [3, 4, 5],
      [6, 7],
    ].map((ids) => ({
      ...examples,
      encoded: examples.encoded.map((one) =>
        encodedText({ ids: Int32Array.from(tokensOf(one), (_, i) => ids[i % ids.length] ?? 0) }),
      ),
    }));
    if (some === undefined || others === undefined) throw new Error('no texts');
    const fresh = await compute(model, [labelsAlone], others);
    const after = await withStep(model, [labelsAlone], async (run) => {
      await run(some, { size: 5 });
      return await run(others);
    });
    expect(after.gradients.get(name)).toEqual(fresh.gradients.get(name));
  });

  it('adds up the gradients of small batches to that of the large one', async () => {
    const model = tinyModel();
    const large = await compute(model, [labelsAlone], examples);
    const small = await compute(model, [labelsAlone], examples, { size: 5 });
    expect(Math.abs(large.loss - small.loss)).toBeLessThan(REORDERED);
    for (const [name, gradient] of large.gradients) {
      expect(largestDifference(gradient, small.gradients.get(name) ?? [])).toBeLessThan(REORDERED);
    }
  });

  it('compares hidden states without a projection where widths agree, and finds none between equals', async () => {
    const model = tinyModel();
    const same = hiddenStates(model, { model }, { pairs: layerPairs(2, 2, 'uniform'), weight: 1 });
    const equal = await compute(model, [labelsAlone, same], examples);
    expect(equal.terms.hidden).toBe(0);
    const other = tinyModel({}, 2);
    const last = hiddenStates(model, { model: other }, { pairs: [[1, 1]], weight: 1 });
    const different = await compute(model, [labelsAlone, last], examples);
    expect(different.terms.hidden).toBeGreaterThan(0.01);
    expect([...different.gradients.keys()].some((name) => name.startsWith('teacher/'))).toBe(false);
  });

  it('learns a projection where widths differ', async () => {
    const student = tinyModel();
    const teacher = tinyModel({ hidden: 24, layers: 4 }, 4);
    const loss = hiddenStates(student, { model: teacher }, { pairs: layerPairs(2, 4, 'uniform'), weight: 1 });
    const step = buildStep(student, { losses: [loss] });
    const projections = step.parameters.filter(({ auxiliary }) => auxiliary);
    expect(projections.map(({ name, dims }) => `${name} ${dims.join('x')}`)).toEqual([
      'hidden_projection.0.weight 16x24',
      'hidden_projection.1.weight 16x24',
    ]);
    expect(step.parameters.some(({ name }) => name === 'classifier.weight')).toBe(false);
  });

  it('has a mask for every dropout, none at a ratio of 0, and the given ratio where one is given', () => {
    const model = tinyModel();
    const built = buildStep(model, { losses: [labelsAlone] });
    const dropouts = model.graph.nodes.filter(({ op }) => op === 'Dropout').length;
    expect(built.masks.map(({ ratio }) => Number(ratio.toFixed(3)))).toEqual(new Array(dropouts).fill(0.1));
    expect(buildStep(model, { losses: [labelsAlone], dropout: 0 }).masks).toEqual([]);
    expect(new Set(buildStep(model, { losses: [labelsAlone], dropout: 0.3 }).masks.map(({ ratio }) => ratio))).toEqual(
      new Set([0.3]),
    );
  });

  it('spreads teacher layers evenly over the student, last to last', () => {
    expect(layerPairs(2, 6, 'uniform')).toEqual([
      [0, 2],
      [1, 5],
    ]);
    expect(layerPairs(3, 12, 'last')).toEqual([[2, 11]]);
  });

  it('weighs classes and smooths labels so that weights average to one', () => {
    const weights = balancedClassWeights([0, 0, 0, 1], 2);
    expect([...weights]).toEqual([4 / 6, 2]);
  });

  it('feeds the class of each answer and two weights, however many classes there are', () => {
    const model = withClassificationHead(
      tinyModel({ labels: [] }),
      Array.from({ length: 50_000 }, (_, c) => `${c}`),
    );
    const classWeights = new Float64Array(50_000).fill(2);
    const loss = crossEntropy({ hard: 0.5, temperature: 1, labelSmoothing: 0.2, classWeights });
    const { inputs } = buildStep(model, { losses: [loss] });
    const feeder = new BatchFeeder(model.info, {
      ...untouched,
      examples: { encoded: examples.encoded.slice(0, 2), targets: idTargets([49_999, -1]) },
    });
    const batch = { rows: Int32Array.of(1, 0), length: 11 };
    const feeds = feeder.feeds(inputs, { batch, size: { answers: 2, tokens: 22 }, step: 0 });
    expect(feeds.labels).toEqual({ dtype: 'int64', dims: [2, 1], data: BigInt64Array.of(0n, 49_999n) });
    const others = Math.fround((0.5 * 0.2) / 50_000);
    expect([...(feeds.class_weights?.data ?? [])]).toEqual([0, others]);
    expect([...(feeds.label_weights?.data ?? [])]).toEqual([0, Math.fround(0.5 * (0.8 + 0.2 / 50_000))]);
  });

  it('adds rows in the order of the ids, negative ids from the end', () => {
    const table = new Float32Array(6);
    addRows(table, 2, BigInt64Array.of(1n, -1n, 1n), Float32Array.of(1, 2, 10, 20, 100, 200));
    expect([...table]).toEqual([0, 0, 101, 202, 10, 20]);
  });
});

/** The gradient of a table as plain differentiation emits it, without the trainer's shortcut. */
const denseTableGradient = async (
  model: Model,
  name: string,
  examples: TrainingExamples,
): Promise<readonly number[]> => {
  const { builder, total, inputs } = buildLoss(model, [labelsAlone], 'dense');
  const gradient = differentiate(builder, total, [value(name)]).get(value(name));
  if (gradient === undefined) throw new Error(`no gradient for ${name}`);
  const program = await cpuEngine.compile(builder.freeze([gradient]), { threads: 1 });
  const rows = Int32Array.from(examples.encoded, (_, i) => i);
  const length = Math.max(...examples.encoded.map((one) => one.length));
  const feeder = new BatchFeeder(model.info, { ...untouched, examples });
  const size = { answers: rows.length, tokens: 1 };
  const outputs = await program.run(feeder.feeds(inputs, { batch: { rows, length }, size, step: 0 }));
  await program.release();
  return Array.from(outputs[gradient]?.data ?? [], Number);
};
