import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { answersAbout } from '../../engine/answers.ts';
import type { HostTensor } from '../../engine/engine.ts';
import { batchFeeds, type FeedSource } from '../../engine/feeds.ts';
import { addRows, GradientRunner } from '../../engine/gradients.ts';
import { hostTensorOf } from '../../engine/host.ts';
import {
  balancedClassWeights,
  crossEntropy,
  distillation,
  hiddenStates,
  type Loss,
  layerPairs,
  writeTarget,
} from '../../engine/losses/index.ts';
import { MaskBuffers } from '../../engine/masks.ts';
import { ortEngine } from '../../engine/onnxruntime.ts';
import { buildEvaluation, buildStep, type TrainingStep } from '../../engine/step.ts';
import type { LossWeights, TrainingExamples } from '../../engine/training-options.ts';
import { trainingMemory } from '../../engine/training-state.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { differentiate } from '../../graph/differentiate.ts';
import { type Graph, value } from '../../graph/graph.ts';
import { float32Of, tensorOf } from '../../graph/tensor.ts';
import type { Model } from '../../models/model.ts';
import { CLASSES, tinyExamples, tinyModel } from './rig.ts';

/** Float32 sums in another order: a few hundred additions of roundings of 6e-8. */
const REORDERED = 2e-6;
/** Of central differences in float32: rounding of 1e-7 / DISTANCE against the curvature. */
const DISTANCE = 1e-2;
const DIFFERENCES = 1e-3;

const options = { tokenDropout: 0, labelSmoothing: 0.1 };

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
  readonly weights?: LossWeights;
  /** Weights that take the place of the model's. */
  readonly extra?: Readonly<Record<string, HostTensor>>;
}

type Compute = (examples: TrainingExamples, settings?: Settings) => Promise<Computed>;

/** Compiles the step of a model and hands out a function for its loss and gradients, on batches of `size` texts. */
const withStep = async <T>(
  model: Model,
  losses: readonly Loss[],
  use: (compute: Compute, step: TrainingStep) => Promise<T>,
  dropout = 0,
  memory: 'planned' | 'recomputed' = 'recomputed',
): Promise<T> => {
  const step = buildStep(model, { losses, dropout });
  const program = await ortEngine.compile(step.graph, { threads: 4, optimization: 'all', memory });
  const runner = new GradientRunner(step, program, trainingMemory(step.parameters));
  const wanted = new Set(step.graph.inputs);
  try {
    return await use(async (examples, { size, weights = { hard: 1, hidden: 0 }, extra } = {}) => {
      const answers = answersAbout(examples.texts);
      const source: FeedSource = { info: model.info, examples, answers, weights, options, seed: 1, wanted };
      const all = Int32Array.from(examples.texts, (_, i) => i);
      const whole = { answers: all.length, tokens: examples.texts.reduce((sum, { ids }) => sum + ids.length, 0) };
      let loss = 0;
      let terms = {};
      runner.reset();
      for (let at = 0; at < all.length; at += size ?? all.length) {
        const rows = all.subarray(at, at + (size ?? all.length));
        const length = Math.max(...Array.from(rows, (row) => examples.texts[row]?.ids.length ?? 0));
        const feeds = batchFeeds(source, { rows, length }, whole, [0, 0]);
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

const logitsOf = async (model: Model, { texts }: TrainingExamples): Promise<number[][]> => {
  const graph = buildEvaluation(model);
  const program = await ortEngine.compile(graph, { threads: 1 });
  const rows: number[][] = [];
  for (const { ids: text } of texts) {
    const dims = [1, text.length];
    const feeds: Record<string, HostTensor> = {
      input_ids: { dtype: 'int64', dims, data: BigInt64Array.from(text, BigInt) },
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
    const { graph, parameters } = buildStep(tinyModel(), { losses: [crossEntropy], dropout: 0 });
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
    const computed = async (memory: 'planned' | 'recomputed'): Promise<readonly Computed[]> =>
      withStep(
        model,
        [crossEntropy],
        async (run) => {
          const results: Computed[] = [];
          for (const batch of batches) results.push(await run(batch));
          return results;
        },
        0,
        memory,
      );
    const [planned, again] = [await computed('planned'), await computed('recomputed')];
    expect(again).toEqual(planned);
    expect(again[0]?.gradients.size).toBeGreaterThan(20);
    expect(again[1]?.gradients).not.toEqual(again[2]?.gradients);
  });
});

describe('a training step', () => {
  const examples = tinyExamples(24, 'step');

  it('has the loss of the label-smoothed cross-entropy', async () => {
    const model = tinyModel();
    const { loss } = await compute(model, [crossEntropy], examples);
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
    const { terms } = await compute(
      model,
      [distillation(2), crossEntropy],
      {
        ...examples,
        labels,
        teacher: { width: CLASSES, columns: CLASSES, data: teacherLogits, unread: new Uint8Array(24) },
      },
      { weights: { hard: 0.25, hidden: 0 } },
    );
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
    expect(terms.distillation).toBeCloseTo(soft, 5);
    expect(terms['cross-entropy']).toBeCloseTo(hard, 5);
  });

  it.each([0, 0.2])('has gradients that central differences confirm, at a dropout of %s', async (dropout) => {
    const model = withLargeEmbeddings(tinyModel({ norm: 'post' }));
    const few = { texts: examples.texts.slice(0, 8), labels: examples.labels.slice(0, 8) };
    const symbols = { batch: 8, sequence: Math.max(...few.texts.map(({ ids }) => ids.length)) };
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
    await withStep(model, [crossEntropy], check, dropout);
  });

  it('sums rows of the embedding as the one-hot product would, repeated ids on four threads included', async () => {
    const model = tinyModel();
    const repeated = {
      texts: examples.texts.map(({ ids }) => ({ ids: ids.map((id, i) => (i % 2 === 0 ? 5 : id)) })),
      labels: examples.labels,
    };
    const { gradients } = await compute(model, [crossEntropy], repeated);
    const name = 'embeddings.word_embeddings.weight';
    const dense = await denseTableGradient(model, name, repeated);
    expect(largestDifference(gradients.get(name) ?? [], dense)).toBeLessThan(REORDERED);
    expect(Math.max(...dense.map(Math.abs))).toBeGreaterThan(100 * REORDERED);
  });

  it('adds up the gradients of small batches to that of the large one', async () => {
    const model = tinyModel();
    const large = await compute(model, [crossEntropy], examples);
    const small = await compute(model, [crossEntropy], examples, { size: 5 });
    expect(Math.abs(large.loss - small.loss)).toBeLessThan(REORDERED);
    for (const [name, gradient] of large.gradients) {
      expect(largestDifference(gradient, small.gradients.get(name) ?? [])).toBeLessThan(REORDERED);
    }
  });

  it('compares hidden states without a projection where widths agree, and finds none between equals', async () => {
    const model = tinyModel();
    const weights = { hard: 1, hidden: 1 };
    const same = hiddenStates(model, model, layerPairs(2, 2, 'uniform'));
    const equal = await compute(model, [crossEntropy, same], examples, { weights });
    expect(equal.terms.hidden).toBe(0);
    const other = tinyModel({}, 2);
    const different = await compute(model, [crossEntropy, hiddenStates(model, other, [[1, 1]])], examples, { weights });
    expect(different.terms.hidden).toBeGreaterThan(0.01);
    expect([...different.gradients.keys()].some((name) => name.startsWith('teacher/'))).toBe(false);
  });

  it('learns a projection where widths differ', async () => {
    const student = tinyModel();
    const teacher = tinyModel({ hidden: 24, layers: 4 }, 4);
    const loss = hiddenStates(student, teacher, layerPairs(2, 4, 'uniform'));
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
    const built = buildStep(model, { losses: [crossEntropy] });
    const dropouts = model.graph.nodes.filter(({ op }) => op === 'Dropout').length;
    expect(built.masks.map(({ ratio }) => Number(ratio.toFixed(3)))).toEqual(new Array(dropouts).fill(0.1));
    expect(buildStep(model, { losses: [crossEntropy], dropout: 0 }).masks).toEqual([]);
    expect(new Set(buildStep(model, { losses: [crossEntropy], dropout: 0.3 }).masks.map(({ ratio }) => ratio))).toEqual(
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
    const row = new Float32Array(4);
    writeTarget(row, 2, { smoothing: 0.2, weight: 0.5 });
    expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(0.5, 6);
    expect(row[2]).toBeCloseTo(0.5 * (0.8 + 0.05), 6);
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
  const builder = GraphBuilder.from(model.graph);
  const loss = crossEntropy.emit({
    builder,
    cleanIds: () => value('input_ids'),
    types: () => value('token_type_ids'),
    mask: value('attention_mask'),
    answers: value('logits'),
    student: value,
    parameter: () => value(''),
  });
  const gradient = differentiate(builder, loss, [value(name)]).get(value(name));
  if (gradient === undefined) throw new Error(`no gradient for ${name}`);
  const program = await ortEngine.compile(builder.freeze([gradient]), { threads: 1 });
  const rows = Int32Array.from(examples.texts, (_, i) => i);
  const source = {
    info: model.info,
    examples,
    answers: answersAbout(examples.texts),
    weights: { hard: 1, hidden: 0 },
    options,
    seed: 1,
    wanted: new Set([value('targets')]),
  };
  const length = Math.max(...examples.texts.map(({ ids }) => ids.length));
  const feeds = batchFeeds(source, { rows, length }, { answers: rows.length, tokens: 1 }, [0, 0]);
  const outputs = await program.run(feeds);
  await program.release();
  return Array.from(outputs[gradient]?.data ?? [], Number);
};
