import { beforeAll, describe, expect, test } from 'vitest';
import { idTargets } from '../../data/answer-targets.ts';
import { stream } from '../../data/random.ts';
import { encodedText } from '../../engine/encoded.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { crossEntropy } from '../../engine/losses/index.ts';
import { textClassification } from '../../engine/tasks/classification.ts';
import { applyCuts } from '../../graph/cut/index.ts';
import { type Graph, value } from '../../graph/graph.ts';
import { float32Of, tensorOf } from '../../graph/tensor.ts';
import { anatomyOf, bypassLayer, type Part, partsOf } from '../../models/anatomy.ts';
import type { Model, ModelInfo } from '../../models/model.ts';
import { answerName } from '../../models/signature.ts';
import { compensated } from '../../stages/prune/compensation/index.ts';
import { pruneConfig } from '../../stages/prune/config.ts';
import type { Criterion, Subject } from '../../stages/prune/criteria/criterion.ts';
import { criteria, criterionOf } from '../../stages/prune/criteria/index.ts';
import { type Batch, batchesOf } from '../../stages/prune/examples.ts';
import { pruneStructure } from '../../stages/prune/prune.ts';
import { encodeExamples } from '../../stages/train/examples.ts';
import { importGolden } from '../models/golden-checkpoints.ts';
import { largestDifference, outputsOf } from '../models/support.ts';
import { dataset, lossesOf, lossOf, trainedModel, trainingTexts } from './prune-rig.ts';

/** Central differences of a float32 loss with this step are right to some percent of the largest score. */
const STEP = 0.02;
const TOLERANCE = 0.03;
/** Float32 sums in another order. */
const ROUNDING = 1e-5;
/** Share of the error of a cut that is left at most where biases take over the means; 0.64 and below were measured. */
const NEARER = 0.75;
/** Share of the random control's loss increase that counts as beating it: seeds of the control differ by less. */
const BEATEN = 0.75;

let model: Model;
let batches: readonly Batch[] = [];
beforeAll(async () => {
  model = await trainedModel();
  batches = batchesOf(
    await encodeExamples('training', examples, { model, task: textClassification, dataset }),
    model.info,
  );
});

const examples = dataset.train.slice(0, 12);

const subjectOf = (graph: Graph): Subject => {
  return {
    ...{ graph, model },
    asked: { task: textClassification, losses: [crossEntropy({ hard: 1, temperature: 1, labelSmoothing: 0 })] },
    batches: async () => batches,
    examples: async () => [],
    seed: 1,
    threads: 1,
    signal: new AbortController().signal,
    progress: () => undefined,
  };
};

const partOf = (name: string): Part => {
  const part = partsOf(anatomyOf(model.graph)).find((one) => one.name === name);
  if (part === undefined) throw new Error(`no part ${name}`);
  return part;
};

/** Rows of the matrices that read a unit, scaled: the same as a mask of `factor` on what it puts out. */
const readers: Readonly<Record<string, RegExp>> = {
  'layer 0 heads': /layer\.0\.attention\.output\.dense\.weight$/,
  'layer 1 ffn': /layer\.1\.output\.dense\.weight$/,
  hidden: /(query|key|value|intermediate\.dense|^classifier)\.weight$/,
};

const scaled = (name: string, unit: number, factor: number): Model => {
  const weights = new Map(model.graph.weights);
  for (const { value, axis, owner } of partOf(name).group?.weights ?? []) {
    const tensor = weights.get(value);
    if (tensor === undefined || axis !== 0 || !readers[name]?.test(value)) continue;
    const width = tensor.dims[1] ?? 1;
    const data = float32Of(tensor).map((w, i) => (owner[Math.floor(i / width)] === unit ? w * factor : w));
    weights.set(value, tensorOf('float32', tensor.dims, data));
  }
  return { ...model, graph: { ...model.graph, weights } };
};

/** I(u) by its definition: the squared derivative of each example's loss by a mask on the unit, by differences. */
const measured = async (name: string, unit: number): Promise<number> => {
  const above = await lossesOf(scaled(name, unit, 1 + STEP), examples);
  const below = await lossesOf(scaled(name, unit, 1 - STEP), examples);
  return above.reduce((sum, loss, i) => sum + ((loss - (below[i] ?? 0)) / (2 * STEP)) ** 2, 0);
};

describe('Taylor scores', () => {
  test.each(Object.keys(readers))('of %s are squared derivatives by a mask on each unit', async (name) => {
    const part = partOf(name);
    const scores = (await criterionOf('taylor').scoreParts(subjectOf(model.graph), [part])).get(part);
    const largest = Math.max(...(scores ?? []));
    expect(largest).toBeGreaterThan(0);
    for (const unit of [0, 1, part.count - 1]) {
      expect(Math.abs((scores?.[unit] ?? 0) - (await measured(name, unit))), `unit ${unit}`).toBeLessThan(
        TOLERANCE * largest,
      );
    }
  });

  test('of a layer are the loss without it', async () => {
    const { layers } = anatomyOf(model.graph);
    const scores = await criterionOf('taylor').scoreLayers(subjectOf(model.graph), layers);
    for (const [i, layer] of layers.entries()) {
      const losses = await lossesOf({ ...model, graph: bypassLayer(model.graph, layer) }, examples);
      expect(scores[i]).toBeCloseTo(losses.reduce((a, b) => a + b, 0) / losses.length, 4);
    }
  });
});

test('magnitude is the norm of all matrix slices that a unit is coupled with', async () => {
  const part = partOf('layer 1 ffn');
  const scores = (await criterionOf('magnitude').scoreParts(subjectOf(model.graph), [part])).get(part);
  const squares = (name: string, has: (i: number, width: number) => boolean): number => {
    const [key, tensor] = [...model.graph.weights].find(([one]) => one.endsWith(name)) ?? [];
    if (key === undefined || tensor === undefined) throw new Error(name);
    return float32Of(tensor).reduce((sum, w, i) => sum + (has(i, tensor.dims[1] ?? 1) ? w * w : 0), 0);
  };
  const columns = squares('layer.1.intermediate.dense.weight', (i, width) => i % width === 5);
  const rows = squares('layer.1.output.dense.weight', (i, width) => Math.floor(i / width) === 5);
  expect(scores?.[5]).toBeCloseTo(Math.sqrt(columns + rows), 6);
});

const lossAfter = async (keep: unknown, criterion: Criterion['name'], seed: number): Promise<number> => {
  const pruned = await pruneStructure(model, pruneConfig.parse({ keep, criterion, examples: 256, compensate: false }), {
    texts: trainingTexts,
    seed,
    threads: 1,
    signal: new AbortController().signal,
    progress: () => undefined,
  });
  return lossOf(pruned.model);
};

describe('before recovery', () => {
  test.each([
    ['heads', { heads: 1 }],
    ['neurons', { ffn: 8 }],
    ['the hidden width', { hidden: 16 }],
    ['all of them', { heads: 2, ffn: 32, hidden: 24 }],
  ])('cutting %s by Taylor scores costs far less loss than cutting at random', async (_, keep) => {
    const whole = await lossOf(model);
    const taylor = (await lossAfter(keep, 'taylor', 1)) - whole;
    const control = await Promise.all([1, 2, 3, 4].map((seed) => lossAfter(keep, 'random', seed)));
    const random = control.reduce((a, b) => a + b, 0) / control.length - whole;
    expect(random).toBeGreaterThan(0);
    expect(taylor).toBeLessThan(BEATEN * random);
  });
});

/** Mean of a value over the tokens of the examples, channel by channel. */
const meanOver = async (graph: Graph, name: string): Promise<readonly number[]> => {
  const program = await cpuEngine.compile({ ...graph, outputs: [value(name)] }, { threads: 1 });
  const sums: number[] = [];
  let tokens = 0;
  for (const { feeds } of await subjectOf(graph).batches()) {
    const { [name]: output } = await program.run(feeds);
    const width = output?.dims.at(-1) ?? 1;
    Array.from(output?.data ?? [], Number).forEach((element, i) => {
      const kept = Number(feeds.attention_mask?.data[Math.floor(i / width)]);
      sums[i % width] = (sums[i % width] ?? 0) + kept * element;
      if (i % width === 0) tokens += kept;
    });
  }
  await program.release();
  return sums.map((sum) => sum / tokens);
};

test('biases take over the mean of what goes: behind the cut, every channel keeps its mean', async () => {
  const { graph } = model;
  const part = partOf('layer 0 ffn');
  const bias = [...graph.weights.keys()].find((name) => name.endsWith('layer.0.output.dense.bias'));
  const sum = graph.nodes.find((node) => bias !== undefined && node.inputs.includes(bias))?.outputs[0];
  if (part.group === undefined || sum === undefined) throw new Error('no feed-forward block');
  const kept = Array.from({ length: 16 }, (_, i) => 4 * i);
  const ready = await compensated(subjectOf(graph), 'means', new Map([[part, kept]]));
  const dense = await meanOver(graph, sum);
  const largest = async (cut: Graph): Promise<number> => largestDifference(await meanOver(cut, sum), dense);
  expect(await largest(applyCuts(ready, [part.group], [kept]))).toBeLessThan(ROUNDING);
  expect(await largest(applyCuts(graph, [part.group], [kept]))).toBeGreaterThan(100 * ROUNDING);
});

/** Root of the mean squared difference between the logits of two graphs. */
const errorOf = async (info: ModelInfo, [graph, whole]: readonly [Graph, Graph], rows: readonly Batch[]) => {
  const logits = async (one: Graph): Promise<readonly number[]> =>
    (
      await outputsOf(
        { ...one, outputs: [answerName(info.signature)] },
        rows.map(({ feeds }) => feeds),
      )
    ).flat();
  const [cut, dense] = [await logits(graph), await logits(whole)];
  return Math.sqrt(cut.reduce((sum, x, i) => sum + (x - (dense[i] ?? 0)) ** 2, 0) / cut.length);
};

/** Made-up texts of a checkpoint: tokens behind the first five, which are special. */
const drawnBatches = ({ info }: Model): readonly Batch[] => {
  const random = stream(1, 'texts');
  const others = (info.dimensions.vocabulary ?? 0) - 5;
  const ids = () => Int32Array.from({ length: 6 + random.integer(6) }, () => 5 + random.integer(others));
  const encoded = Array.from({ length: 24 }, () => encodedText({ ids: ids() }));
  return batchesOf({ encoded, targets: idTargets(encoded.map((_, i) => i % info.labels.length)) }, info);
};

test.each([
  ['bert', 'every layer has biases of its own'],
  ['albert', 'all layers share their biases'],
])('what biases take over brings the logits of %s nearer to what they were, where %s', async (name) => {
  const golden = await importGolden(name);
  const rows = drawnBatches(golden);
  const subject = { ...subjectOf(golden.graph), model: golden, batches: async () => rows };
  const parts = partsOf(anatomyOf(golden.graph)).filter(({ kind }) => kind === 'ffn');
  const chosen = new Map(parts.map((part) => [part, Array.from({ length: part.count / 2 }, (_, i) => 2 * i)]));
  const cut = (graph: Graph): Graph =>
    applyCuts(
      graph,
      parts.flatMap(({ group }) => group ?? []),
      [...chosen.values()],
    );
  const without = await errorOf(golden.info, [cut(golden.graph), golden.graph], rows);
  const ready = await compensated(subject, 'means', chosen);
  expect(await errorOf(golden.info, [cut(ready), golden.graph], rows)).toBeLessThan(NEARER * without);
});

test('every criterion says whether it needs texts, and repeats itself for equal seeds', async () => {
  for (const criterion of criteria) {
    const parts = [partOf('layer 0 heads')];
    const asked: string[] = [];
    const subject = subjectOf(model.graph);
    const watching = {
      ...subject,
      batches: () => {
        asked.push('batches');
        return subject.batches();
      },
    };
    const [first] = (await criterion.scoreParts(watching, parts)).values();
    const [again] = (await criterion.scoreParts(watching, parts)).values();
    expect(again).toEqual(first);
    expect(asked.length > 0).toBe(criterion.needsExamples);
  }
});
