import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import * as ort from '../../engine/engines/onnxruntime/native.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { decodeGraph, encodeGraph } from '../../graph/codec/index.ts';
import { symbol } from '../../graph/dim.ts';
import { type Graph, value } from '../../graph/graph.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { quantizeMatrix, transposed } from '../../graph/quantize/weights.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { arrayOf, float32Of, type Tensor, tensorOf } from '../../graph/tensor.ts';
import { smallEncoder } from '../models/support.ts';
import { feedsFor, operatorsOf, outputsOf } from './rewrite-run.ts';

/** Steps are float32, and so are products of them: half a step holds up to a few of their roundings. */
const rounding = 1 + 1e-5;

/**
 * 8-bit weights and activations each add up to half of 1/127 of the largest value to every product; over 64 and more
 * random products these errors stay below 2 % of the outputs' size.
 */
const linearError = 0.02;

const matrix = (dims: readonly [number, number], seed: number, scale = 1): Tensor => {
  const random = stream(seed, 'matrix');
  return tensorOf(
    'float32',
    dims,
    Float32Array.from({ length: dims[0] * dims[1] }, () => scale * random.normal()),
  );
};

const weightOf = (graph: Graph, name: string): Tensor => {
  const tensor = graph.weights.get(value(name));
  if (tensor === undefined) throw new Error(`no weight '${name}' among ${[...graph.weights.keys()].join(', ')}`);
  return tensor;
};

/** Root of the mean square of the difference over that of the reference. */
const relativeError = (reference: Float32Array, result: Float32Array): number => {
  let error = 0;
  let size = 0;
  reference.forEach((x, i) => {
    error += (x - (result[i] ?? Number.NaN)) ** 2;
    size += x ** 2;
  });
  return Math.sqrt(error / size);
};

const compare = async (graph: Graph, quantized: Graph, options = { batch: 2, sequence: 5 }): Promise<number> => {
  const feeds = feedsFor(graph, options, { seed: 4, vocabulary: 100 });
  const [[before], [after]] = [await outputsOf(graph, feeds), await outputsOf(quantized, feeds)];
  if (before === undefined || after === undefined) throw new Error('one output was expected');
  return relativeError(before, after);
};

const element = fc.oneof(
  fc.float({ noNaN: true, min: -8, max: 8 }),
  fc.constantFrom(0, 1e-30, -1e30, 1e-42, 3.4028234663852886e38),
);

describe('a quantized matrix', () => {
  const cases = fc.record({
    rows: fc.integer({ min: 1, max: 6 }),
    columns: fc.integer({ min: 1, max: 6 }),
    elements: fc.array(element, { minLength: 36, maxLength: 36 }),
    axis: fc.constantFrom<'rows' | 'columns'>('rows', 'columns'),
    limit: fc.constantFrom<127 | 63>(127, 63),
  });

  it('is within half a step of the matrix, channel by channel, in the range that was asked for', () => {
    fc.assert(
      fc.property(cases, ({ rows, columns, elements, axis, limit }) => {
        const w = Float32Array.from(elements.slice(0, rows * columns));
        const { integers, steps } = quantizeMatrix('w', tensorOf('float32', [rows, columns], w), axis, limit);
        const q = arrayOf({ ...integers, dtype: 'int8' });
        const s = float32Of(steps);
        expect(s.length).toBe(axis === 'rows' ? rows : columns);
        w.forEach((x, i) => {
          const step = s[axis === 'rows' ? Math.floor(i / columns) : i % columns] ?? Number.NaN;
          expect(Math.abs(q[i] ?? Number.NaN)).toBeLessThanOrEqual(limit);
          expect(Math.abs(x - (q[i] ?? Number.NaN) * step)).toBeLessThanOrEqual((step / 2) * rounding);
        });
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it('uses the whole range of every channel that is not zero', () => {
    const w = tensorOf('float32', [2, 3], Float32Array.of(1, 0, -0.001, -2, 0, 0.0005));
    const { integers, steps } = quantizeMatrix('w', w, 'columns', 127);
    expect(Array.from(arrayOf({ ...integers, dtype: 'int8' }))).toEqual([64, 0, -127, -127, 0, 64]);
    expect(float32Of(steps)[1]).toBe(1);
  });

  it('says where NaN and infinity are', () => {
    const bad = (x: number) => tensorOf('float32', [2, 2], Float32Array.of(1, 2, x, 4));
    expect(() => quantizeMatrix('w', bad(Number.NaN), 'columns', 127)).toThrow(
      "the weight 'w' holds NaN or infinity in column 0; it cannot be quantized",
    );
    expect(() => quantizeMatrix('w', bad(Number.NEGATIVE_INFINITY), 'rows', 127)).toThrow('infinity in row 1');
  });

  it('can be transposed', () => {
    const turned = transposed(tensorOf('int8', [2, 3], Int8Array.of(1, 2, 3, -4, -5, -6)));
    expect([turned.dims, Array.from(arrayOf({ ...turned, dtype: 'int8' }))]).toEqual([
      [3, 2],
      [1, -4, 2, -5, 3, -6],
    ]);
  });
});

/** Operators of a graph as a session runs it. */
const loaded = async (graph: Graph): Promise<Readonly<Record<string, number>>> => {
  const folder = await mkdtemp(join(tmpdir(), 'decant-quantize-'));
  try {
    const optimizedModelFilePath = join(folder, 'optimized.onnx');
    const session = await ort.InferenceSession.create(encodeGraph(graph), {
      logSeverityLevel: 3,
      optimizedModelFilePath,
    });
    await session.release();
    return operatorsOf(decodeGraph(await readFile(optimizedModelFilePath)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** Two linear layers of one input, added and normalized so that neither is the classifier. */
const layers = (weights: readonly Tensor[], op: 'MatMul' | 'Gemm' = 'MatMul'): Graph => {
  const builder = new GraphBuilder('layers');
  const gemm = op === 'Gemm';
  const x = builder.input('x', 'float32', gemm ? [symbol('batch'), 64] : [symbol('batch'), symbol('sequence'), 64]);
  const outputs = weights.map((tensor, i) => {
    const w = builder.weight(`layer.${i}.weight`, tensor);
    const bias = builder.weight(`layer.${i}.bias`, matrix([1, tensor.dims[gemm ? 0 : 1] ?? 0], 9 + i));
    if (gemm) return builder.op('Gemm', [x, w, bias], { transB: 1 });
    return builder.op('Add', [builder.op('MatMul', [x, w]), bias]);
  });
  return builder.freeze([builder.op('Relu', [outputs.length === 1 ? (outputs[0] ?? x) : builder.op('Add', outputs)])]);
};

describe('linear layers', () => {
  it('multiply in 8 bits, and quantize an input that they share once', async () => {
    const graph = layers([matrix([64, 96], 1), matrix([64, 96], 2)]);
    const { graph: quantized, report } = quantizeWeights(graph);
    expect(operatorsOf(quantized)).toMatchObject({ DynamicQuantizeLinear: 1, MatMulInteger: 2 });
    expect(operatorsOf(quantized)).not.toHaveProperty('MatMul');
    expect(report).toMatchObject({ quantized: 2, kept: 2 });
    expect(await compare(graph, quantized)).toBeLessThan(linearError);
  });

  it('written as Gemm keep their bias and turn their weight', async () => {
    const graph = layers([matrix([96, 64], 1)], 'Gemm');
    const { graph: quantized } = quantizeWeights(graph);
    expect(operatorsOf(quantized)).not.toHaveProperty('Gemm');
    expect(weightOf(quantized, 'layer.0.weight_transposed_quantized').dims).toEqual([64, 96]);
    expect(await compare(graph, quantized)).toBeLessThan(linearError);
  });

  it('may have outputs whose weights are all zero', async () => {
    const w = matrix([64, 96], 1);
    const data = float32Of(w).map((x, i) => (i % 96 < 10 ? 0 : x));
    const graph = layers([tensorOf('float32', [64, 96], Float32Array.from(data))]);
    expect(await compare(graph, quantizeWeights(graph).graph)).toBeLessThan(linearError);
  });

  it('need no zero points or float weights in the file', () => {
    const { graph } = quantizeWeights(layers([matrix([64, 96], 1)]));
    const dtypes = [...graph.weights].map(([name, { dtype }]) => [name, dtype]);
    expect(dtypes).toEqual([
      ['layer.0.bias', 'float32'],
      ['layer.0.weight_quantized', 'int8'],
      ['layer.0.weight_scale', 'float32'],
    ]);
  });

  it('stay within 7 bits for CPUs that saturate', async () => {
    const graph = layers([matrix([64, 96], 1)]);
    const { graph: quantized } = quantizeWeights(graph, { reduceRange: true });
    const integers = weightOf(quantized, 'layer.0.weight_quantized');
    expect(Math.max(...arrayOf({ ...integers, dtype: 'int8' }).map(Math.abs))).toBe(63);
    expect(await compare(graph, quantized)).toBeLessThan(2 * linearError);
  });

  it('become one kernel each when ONNX Runtime loads them', async () => {
    const fused = fuseForInference(smallEncoder({ hidden: 64, ffn: 128, activation: 'relu' }).graph);
    const counts = await loaded(quantizeWeights(fused).graph);
    expect(counts).toMatchObject({ 'com.microsoft:DynamicQuantizeMatMul': 6, 'com.microsoft:QAttention': 2 });
    expect(counts).not.toHaveProperty('MatMulInteger');
    // Biases are part of the kernel: what remains are residual sums, the positions and the classifier's own.
    expect(counts.Add ?? 0).toBeLessThanOrEqual(5);
  });
});

/** Looked-up rows, once from a table of its own and once from one that a product uses, too. */
const lookups = (tied: boolean, rowCount = 1100): Graph => {
  const builder = new GraphBuilder('lookups');
  const ids = builder.input('ids', 'int64', [symbol('batch'), symbol('sequence')]);
  const table = builder.weight('table', matrix([rowCount, 64], 3, 0.02));
  const rows = builder.op('Gather', [table, ids]);
  const turned = tied ? builder.op('MatMul', [rows, builder.op('Transpose', [table])]) : builder.op('Relu', [rows]);
  return builder.freeze([builder.op('Neg', [turned])]);
};

describe('embedding tables', () => {
  it('become rows of 8 bits with a step a column', async () => {
    const graph = lookups(false);
    const { graph: quantized, report } = quantizeWeights(graph);
    expect([...quantized.weights].map(([name, { dtype, dims }]) => [name, dtype, dims])).toEqual([
      ['table_quantized', 'int8', [1100, 64]],
      ['table_scale', 'float32', [64]],
    ]);
    expect(report).toMatchObject({ bytesBefore: 1100 * 64 * 4, bytesAfter: 1100 * 64 + 64 * 4 });
    expect(await compare(graph, quantized)).toBeLessThan(linearError);
  });

  it('stay in float when that is asked for, and when they are small', () => {
    const reasons = (graph: Graph, options: Parameters<typeof quantizeWeights>[1]) =>
      quantizeWeights(graph, options).report.weights.map(({ reason }) => reason);
    expect(reasons(lookups(false), { embeddings: false })).toEqual(['embeddings are not asked for']);
    expect(reasons(lookups(false, 60), {})).toEqual(['smaller than 4160 elements']);
  });

  it('are 8 bits in the file only when they are of middle size or when a product uses them, too', async () => {
    for (const [graph, options] of [
      [lookups(false), { minimumTable: 1e6 }],
      [lookups(true), {}],
    ] as const) {
      const { graph: quantized, report } = quantizeWeights(graph, options);
      expect(report).toMatchObject({ quantized: 1, bytesAfter: 1100 * 64 + 64 * 4 });
      expect(await compare(graph, quantized)).toBeLessThan(linearError);
      expect(await loaded(quantized)).not.toHaveProperty('Cast');
    }
  });
});

describe('an encoder', () => {
  const fused = fuseForInference(smallEncoder({ hidden: 64, ffn: 128, vocabulary: 1100 }).graph);

  it('keeps its outputs nearly, its outputs by name, and its classifier and small weights in float', async () => {
    const { graph: quantized, report } = quantizeWeights(fused);
    expect(quantized.outputs).toEqual(fused.outputs);
    expect(quantized.inputs).toEqual(fused.inputs);
    expect(report).toMatchObject({ quantized: 9 });
    const byName = new Map(report.weights.map(({ name, storage, reason }) => [name, reason ?? storage]));
    expect(byName.get('classifier.weight')).toBe('smaller than 4160 elements');
    expect(byName.get('embeddings.word_embeddings.weight')).toBe('int8');
    expect(byName.get('embeddings.position_embeddings.weight')).toBe('smaller than 4160 elements');
    expect(byName.get('encoder.layer.0.attention.self.query+key+value.weight')).toBe('int8');
    expect(byName.get('encoder.layer.0.output.dense.bias')).toBe('no matrix');
    // Errors of two layers add up.
    expect(await compare(fused, quantized, { batch: 1, sequence: 9 })).toBeLessThan(3 * linearError);
  });

  it('projects queries, keys and values of one attention in 8 bits, with and without padding', async () => {
    const { graph: quantized } = quantizeWeights(fused);
    expect(operatorsOf(quantized)).toMatchObject({ 'com.microsoft:QAttention': 2 });
    expect(operatorsOf(quantized)).not.toHaveProperty('com.microsoft:Attention');
    expect(await compare(fused, quantized, { batch: 3, sequence: 9 })).toBeLessThan(3 * linearError);
  });

  it('computes its classifier in float from a matrix of 8 bits in the file', async () => {
    const labels = Array.from({ length: 80 }, (_, i) => `class ${i}`);
    const many = fuseForInference(smallEncoder({ hidden: 64, ffn: 128, vocabulary: 1100, labels }).graph);
    const { graph: quantized } = quantizeWeights(many);
    expect(weightOf(quantized, 'classifier.weight_quantized').dtype).toBe('int8');
    expect(operatorsOf(quantized).MatMul).toBe(1);
    expect(await loaded(quantized)).toMatchObject({ Gemm: 1 });
    expect(await compare(many, quantized, { batch: 1, sequence: 9 })).toBeLessThan(3 * linearError);
  });

  it('has nothing left to quantize afterwards, and fuses to itself', () => {
    const { graph } = quantizeWeights(fused);
    expect(quantizeWeights(graph).report.quantized).toBe(0);
    expect(fuseForInference(graph)).toEqual(graph);
  });

  it('leaves the graph that it was made from alone', () => {
    const before = encodeGraph(fused);
    quantizeWeights(fused);
    expect(Buffer.compare(encodeGraph(fused), before)).toBe(0);
  });

  it('keeps weights that are excluded by name, by pattern or by a name from before they were packed', () => {
    const kept = (pattern: string): number =>
      quantizeWeights(fused, { exclude: [pattern] }).report.weights.filter(({ reason }) => reason === 'excluded')
        .length;
    expect(kept('encoder.layer.0.output.dense.weight')).toBe(1);
    expect(kept('encoder.layer.1.attention.self.key.weight')).toBe(1);
    expect(kept('encoder.layer.*.intermediate.dense.weight')).toBe(2);
  });

  it('takes no name apart that only looks packed', () => {
    const builder = new GraphBuilder('plus');
    const x = builder.input('x', 'float32', [symbol('rows'), 80]);
    const w = builder.weight('a+b.weight', tensorOf('float32', [80, 80], new Float32Array(6400).fill(0.5)));
    const graph = builder.freeze([builder.op('Relu', [builder.op('MatMul', [x, w])])]);
    expect(() => quantizeWeights(graph, { exclude: ['a.weight'] })).toThrow("'a.weight' names no weight");
    expect(quantizeWeights(graph, { exclude: ['a+b.weight'] }).report.quantized).toBe(0);
    expect(quantizeWeights(graph).report.quantized).toBe(1);
  });

  it('leaves a classifier in float behind which only a Softmax stands', () => {
    const builder = new GraphBuilder('chooses');
    const x = builder.input('x', 'float32', [symbol('rows'), 80]);
    const weight = (name: string) =>
      builder.weight(name, tensorOf('float32', [80, 80], new Float32Array(6400).fill(0.5)));
    const hidden = builder.op('Relu', [builder.op('MatMul', [x, weight('inner')])]);
    const scores = builder.op('MatMul', [hidden, weight('outer')]);
    const { graph } = quantizeWeights(builder.freeze([builder.op('Softmax', [scores], { axis: -1 })]));
    expect(operatorsOf(graph)).toMatchObject({ MatMulInteger: 1, MatMul: 1 });
  });

  it('refuses exclusions that name nothing, and lists what there is', () => {
    const ask = () => quantizeWeights(fused, { exclude: ['encoder.layer.7.*'] });
    expect(ask).toThrow(expect.objectContaining({ kind: 'quantize' }));
    expect(ask).toThrow(
      "exclude: 'encoder.layer.7.*' names no weight; the matrices are embeddings.word_embeddings.weight, embeddings.position",
    );
  });
});

it('refuses weights with NaN and graphs older than its operators', () => {
  const w = float32Of(matrix([64, 96], 1)).slice();
  w[5] = Number.NaN;
  expect(() => quantizeWeights(layers([tensorOf('float32', [64, 96], w)]))).toThrow("'layer.0.weight' holds NaN");
  const old = { ...layers([matrix([64, 96], 1)]), opsets: { '': 9 } };
  expect(() => quantizeWeights(old)).toThrow("'layers' has operator set 9; quantization needs 11 or newer");
});
