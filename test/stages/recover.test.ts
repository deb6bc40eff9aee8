import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import type { HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import type { Faked } from '../../engine/faked.ts';
import { hostTensorOf } from '../../engine/host.ts';
import { buildEvaluation } from '../../engine/step.ts';
import { storedBy } from '../../engine/stored.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import type { QuantizeOptions, Storage } from '../../graph/quantize/choose.ts';
import { fusedFor } from '../../graph/quantize/convert.ts';
import type { Format } from '../../graph/quantize/format.ts';
import { int8 } from '../../graph/quantize/formats/int8.ts';
import { int8Static } from '../../graph/quantize/formats/int8-static.ts';
import { q4 } from '../../graph/quantize/formats/q4.ts';
import { uint8 } from '../../graph/quantize/formats/uint8.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { unpackedOf } from '../../graph/quantize/pack.ts';
import type { Ranges } from '../../graph/quantize/range.ts';
import { productGroups } from '../../graph/quantize/smooth.ts';
import { type ArrayOf, float32Of, tensorOf } from '../../graph/tensor.ts';
import type { Json } from '../../ground/json.ts';
import { readModel } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { answerName } from '../../models/signature.ts';
import { quantize } from '../../stages/quantize/index.ts';
import { packingsFrom, seenBy } from '../../stages/quantize/recover.ts';
import type { StageContext } from '../../stages/stage.ts';
import { memoryCheckpoints } from '../engine/rig.ts';
import { batchOf, smallEncoder } from '../models/support.ts';
import { workspace } from '../rig/workspace.ts';
import { datasetArtifact, modelArtifact, runStage, smallDataset, wiringOf } from './training-rig.ts';

/** Answers of products in float32 in another order. */
const REORDERED = 2e-5;

const space = workspace();
afterAll(() => space[Symbol.dispose]());

/** Its width fills no whole blocks. */
const encoder = (): Model => smallEncoder({ hidden: 72, ffn: 96, vocabulary: 2000, maxLength: 64 });

const noise = (data: Float32Array, size: number): ArrayOf<'float32'> => {
  const random = stream(5, 'noise');
  return Float32Array.from(data, (x) => x + size * random.normal());
};

/** A model with other numbers in its matrices. */
const changed = (model: Model, change: (data: Float32Array) => ArrayOf<'float32'>): Model => {
  const weights = new Map(model.graph.weights);
  for (const [name, tensor] of weights) {
    if (tensor.dtype !== 'float32' || tensor.dims.length !== 2) continue;
    weights.set(name, tensorOf('float32', tensor.dims, change(float32Of(tensor))));
  }
  return { ...model, graph: { ...model.graph, weights } };
};

const answersOf = async (
  { graph, info }: Model,
  feeds: Readonly<Record<string, HostTensor>>,
): Promise<Float32Array> => {
  const program = await cpuEngine.compile(graph, { threads: 1, memory: 'pooled' });
  const inputs = new Set<string>(graph.inputs);
  const outputs = await program.run(Object.fromEntries(Object.entries(feeds).filter(([name]) => inputs.has(name))));
  await program.release();
  const [said] = Object.values(outputs);
  if (!(said?.data instanceof Float32Array)) throw new Error(`no answers '${answerName(info.signature)}'`);
  return said.data;
};

const weightFeeds = ({ graph }: Model) =>
  Object.fromEntries([...graph.weights].map(([name, tensor]) => [name, hostTensorOf(tensor)]));

/** Ranges of all that products of a fused graph read. */
const everyRange = (fused: Graph): Ranges =>
  new Map(productGroups(fused).map(({ input }, i) => [input, { low: -2 - 0.1 * i, high: 3 }]));

interface Answers {
  /** Of the graph of training as it judges itself. */
  readonly trained: Float32Array;
  /** Of the file. */
  readonly written: Float32Array;
  /** Of the same weights as floats. */
  readonly plain: Float32Array;
}

/** What weights answer that have moved as training moves them. */
const answersAfter = async (options: QuantizeOptions & { readonly format: Format }): Promise<Answers> => {
  const model = encoder();
  const fused = fusedFor(model.graph, options.format);
  const ranges = options.format.products.kind === 'integers' ? { ranges: everyRange(fused) } : {};
  const asked = { ...options, ...ranges };
  const start = { model, fused, quantized: quantizeWeights(fused, asked) };
  const seen = seenBy(start);
  expect(seen.faked.size).toBeGreaterThan(10);
  const moved = changed(seen.model, (data) => noise(data, 0.02));
  const stored = await storedBy(moved, seen.faked, 1);
  const again = fusedFor(stored.model.graph, options.format);
  const file = quantizeWeights(again, asked, packingsFrom(start, stored.rounded));
  const batch = batchOf([[3, 4, 5, 200, 7, 1999]]);
  const judged = (faked?: Faked): Model => ({ ...moved, graph: buildEvaluation(moved, { faked }) });
  return {
    trained: await answersOf(judged(seen.faked), { ...weightFeeds(moved), ...batch }),
    written: await answersOf({ ...model, graph: file.graph }, batch),
    plain: await answersOf(judged(), { ...weightFeeds(moved), ...batch }),
  };
};

const eightBits: ReadonlyMap<Value, Storage> = new Map([
  [value('encoder.layer.1.intermediate.dense.weight'), { bits: 8, block: 32, zeroPoint: true }],
]);

const apart = (a: Float32Array, b: Float32Array): number =>
  Math.max(...a.map((x, i) => Math.abs(x - (b[i] ?? Number.NaN))));

describe('a file that was trained as it is stored', () => {
  it.each([
    ['with zero points', {}],
    ['without zero points', { zeroPoint: false }],
    ['in larger blocks', { block: 64 }],
    ['with tables in float', { embeddings: false }],
    ['of 4 and 8 bits', { storages: eightBits }],
  ] as const)('answers as the graph of training does, %s', async (_, more) => {
    const { trained, written, plain } = await answersAfter({ format: q4, minimumTable: 1000, ...more });
    expect(apart(trained, written)).toBeLessThan(REORDERED);
    expect(apart(trained, plain)).toBeGreaterThan(100 * REORDERED);
  });

  it.each([int8Static, int8, uint8])('answers so where activations have 8 bits, too ($name)', async (format) => {
    const { trained, written, plain } = await answersAfter({ format, minimumTable: 1000, minimumElements: 1000 });
    expect(apart(trained, written)).toBeLessThan(REORDERED);
    expect(apart(trained, plain)).toBeGreaterThan(100 * REORDERED);
  });
});

const recover = { uses: 'train', epochs: 2, batch: 16, learningRate: 2e-3 } as const;

const given = async (model: Model) => ({
  model: await modelArtifact(space, 'source', model),
  dataset: await datasetArtifact(space, smallDataset()),
});

const run = async (name: string, model: Model, config: unknown, context: Partial<StageContext> = {}) =>
  runStage(space, quantize, await given(model), quantize.config.parse(config), { name, context });

const bytesOf = (name: string): Promise<Buffer> => readFile(join(space.path(name), 'model', 'model.onnx'));

describe('the quantize stage with recovery', () => {
  it('trains, and writes what it trained', async () => {
    const { metrics } = await run('whole', encoder(), { format: 'q4', recover });
    expect(metrics).toMatchObject({ training: { steps: 12 }, quantization: { format: 'q4' } });
    const { deviation } = metrics;
    expect(deviation).toMatchObject({ minCosine: expect.closeTo(1, 6) });
  });

  it.each([
    ['q4', { rounding: 'awq-gptq' }],
    ['q4', { budget: { bytes: '190kB' } }],
    ['q4f16', {}],
    ['q8-blocks', {}],
    ['q2', {}],
  ])('trains %s with %j', async (format, more) => {
    const { metrics } = await run('formats', encoder(), { format, ...more, recover });
    expect(metrics).toMatchObject({ training: { steps: 12 }, quantization: { format } });
    expect(metrics.deviation).toMatchObject({ minCosine: expect.closeTo(1, 4) });
  });

  it.each(['int8', 'uint8', 'int8-static'])('trains activations in 8 bits, too (%s)', async (format) => {
    const { metrics } = await run(format, encoder(), { format, calibration: 40, recover });
    expect(metrics).toMatchObject({ training: { steps: 12 }, quantization: { format } });
    expect(metrics.deviation).toMatchObject({ minCosine: expect.closeTo(1, 2) });
  });

  it('gives a model without a head one for the data, and trains it as it is stored', async () => {
    const { metrics } = await run('head', smallEncoder({ hidden: 64, ffn: 64, labels: [] }), { format: 'q4', recover });
    expect(metrics.deviation).toMatchObject({ minCosine: expect.closeTo(1, 6) });
    const model = await readModel(join(space.path('head'), 'model'));
    expect(model.info.labels).toEqual(['animal', 'motion', 'rest']);
  });

  it('ends with the same bytes when it is interrupted and goes on', async () => {
    const config = { format: 'q4', calibration: 20, recover: { ...recover, epochs: 0.5 } };
    await run('straight', encoder(), config);
    const checkpoints = memoryCheckpoints();
    let pieces = 0;
    for (let done = false; !done; pieces++) {
      const controller = new AbortController();
      // The first update is always told of, however fast.
      const progress: StageContext['progress'] = ({ unit, done: at, total }) => {
        if (unit === 'steps' && at < total) controller.abort(new Error('stopped'));
      };
      const context = { checkpoints, signal: controller.signal, progress };
      done = await run('pieces', encoder(), config, context).then(
        () => true,
        (error: Error) => {
          expect(error.message).toBe('stopped');
          return false;
        },
      );
    }
    expect(pieces).toBe(3);
    expect((await bytesOf('pieces')).equals(await bytesOf('straight'))).toBe(true);
  });

  it('leaves zeros of a pruned model zeros', async () => {
    const half = changed(encoder(), (data) => Float32Array.from(data, (x, i) => (i % 2 === 0 ? x : 0)));
    const { metrics } = await run('sparse', half, { format: 'q4', recover });
    expect(metrics).toMatchObject({ training: { steps: 12 } });
    const model = await readModel(join(space.path('sparse'), 'model'));
    const name = 'encoder.layer.0.intermediate.dense.weight';
    const tensor = (part: string) => {
      const found = model.graph.weights.get(value(`${name}_${part}`));
      if (found === undefined) throw new Error(`no '${part}'`);
      return found;
    };
    const [rows = 0, blocks = 0, bytes = 0] = tensor('blocks').dims;
    const rounded = unpackedOf({
      ...{ rows, width: 72, grid: { bits: 4, block: 32, zeroPoint: true } },
      codes: { ...tensor('blocks'), dims: [rows, blocks * bytes] },
      ...{ scales: tensor('scales'), zeros: tensor('zero_points') },
    });
    const source = float32Of(half.graph.weights.get(value(name)) ?? tensor('scales'));
    let zeros = 0;
    let others = 0;
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < 72; i++) {
        const isZero = rounded.codes[row * 72 + i] === rounded.zeros[row * blocks + Math.floor(i / 32)];
        if (source[i * rows + row] === 0) zeros += Number(isZero);
        else others += Number(!isZero);
      }
    }
    expect(zeros).toBe((rows * 72) / 2);
    expect(others).toBeGreaterThan((rows * 72) / 4);
  });

  it('asks for the labels of its teacher', () => {
    const wiring = wiringOf();
    const config = quantize.config.parse({ format: 'q4', recover: { uses: 'distill', teacher: 'large' } });
    expect(Object.keys(quantize.wire(config, wiring))).toEqual(['dataset', 'teacher-outputs']);
    expect(wiring.asked).toEqual(['model large at recover.teacher', 'step label of large,data']);
  });

  it('is counted in what a plan foresees', () => {
    const texts = { train: 1000, unlabelled: 500, validation: 50, test: 100 };
    const effort = (config: unknown): Json => ({ ...quantize.effort?.(quantize.config.parse(config), texts, 1) });
    const taught = { uses: 'distill', teacher: 'large', epochs: 2 };
    expect(effort({ format: 'q4', recover })).toEqual({ alone: 256, trained: 2000, asked: 100 });
    expect(effort({ format: 'q4', rounding: 'nearest', recover: taught })).toEqual({ trained: 3000, asked: 100 });
    expect(quantize.trains?.when(quantize.config.parse({ format: 'q4' }))).toBe(false);
    expect(quantize.trains?.when(quantize.config.parse({ format: 'q4', recover }))).toBe(true);
  });

  it.each([
    [
      'floats',
      { format: 'fp16', recover },
      'recover: the format fp16 rounds nothing to whole numbers: leave recover out, or name another format',
    ],
    [
      'float16',
      { format: 'q4', recover: { uses: 'train', precision: 'fp16' } },
      'recover.precision: weights are rounded in float32 while they are trained: leave precision out',
    ],
    ['no teacher', { format: 'q4', recover: { uses: 'distill' } }, 'recover.teacher: Invalid input'],
  ])('refuses %s', (_, config, problem) => {
    const parsed = quantize.config.safeParse(config);
    const issues = parsed.success ? [] : parsed.error.issues;
    expect(issues.map(({ path, message }) => `${path.join('.')}: ${message}`)).toEqual([problem]);
  });
});
