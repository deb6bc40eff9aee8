import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../graph/builder.ts';
import { readGraph } from '../../graph/codec/index.ts';
import { symbol } from '../../graph/dim.ts';
import { value } from '../../graph/graph.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { elementCount, tensorOf } from '../../graph/tensor.ts';
import { inspectGraph, modelFigures } from '../../models/inspect.ts';
import type { Model } from '../../models/model.ts';
import { smallEncoder } from './support.ts';

const LENGTH = 7;

/** Multiply-accumulates of an encoder of width h: projections and FFN per token, scores and mixing per pair. */
const expectedMacs = (h: number, ffn: number, layers: number, labels: number): number =>
  layers * (LENGTH * (4 * h * h + 2 * h * ffn) + 2 * LENGTH * LENGTH * h) + h * labels;

const zeroed = (model: Model, name: string): Model => {
  const weights = new Map(model.graph.weights);
  const tensor = weights.get(value(name));
  if (tensor === undefined) throw new Error(`no weight ${name}`);
  weights.set(value(name), tensorOf('float32', tensor.dims, new Float32Array(elementCount(tensor.dims))));
  return { ...model, graph: { ...model.graph, weights } };
};

describe('modelFigures', () => {
  it('counts parameters and multiply-accumulates as the closed formulas do', () => {
    const figures = modelFigures(smallEncoder(), LENGTH);
    const layer = 4 * (16 * 16 + 16) + 16 * 24 + 24 + 24 * 16 + 16 + 4 * 16;
    expect(figures.parameters).toBe(10 * 16 + 12 * 16 + 2 * layer + 2 * 16 + 16 * 3 + 3);
    expect(figures.macs).toBe(expectedMacs(16, 24, 2, 3));
  });

  it('counts a zeroed matrix as zeros', () => {
    const name = 'encoder.layer.0.attention.self.query.weight';
    const model = smallEncoder();
    expect(modelFigures(zeroed(model, name), LENGTH).nonzero).toBe(modelFigures(model, LENGTH).nonzero - 16 * 16);
    expect(modelFigures(zeroed(model, name), LENGTH).parameters).toBe(modelFigures(model, LENGTH).parameters);
  });
});

describe('modelFigures of fused graphs', () => {
  it('are those of the graph that was fused, and the mean over tokens, which became a product', () => {
    const hidden = 16;
    for (const [options, pooled] of [
      [{}, LENGTH * hidden],
      [{ norm: 'post', activation: 'relu' }, LENGTH * hidden],
      [{ pooling: 'first' }, 0],
    ] as const) {
      const model = smallEncoder({ hidden, ...options });
      const fused = { ...model, graph: fuseForInference(model.graph) };
      expect(fused.graph.nodes.length).toBeLessThan(model.graph.nodes.length);
      const { macs, ...figures } = modelFigures(model, LENGTH);
      expect(modelFigures(fused, LENGTH)).toEqual({ ...figures, macs: macs + pooled });
    }
  });
});

describe('modelFigures of quantized graphs', () => {
  it('count a weight once, whatever it is stored as', () => {
    const model = smallEncoder({ hidden: 64, ffn: 128 });
    const { graph } = quantizeWeights(model.graph, {
      embeddings: true,
      reduceRange: false,
      exclude: [],
      minimumTable: 1,
    });
    expect([...graph.weights.values()].some(({ dtype }) => dtype === 'int8')).toBe(true);
    const { parameters, nonzero, macs } = modelFigures({ ...model, graph }, LENGTH);
    const dense = modelFigures(model, LENGTH);
    expect({ parameters, macs }).toEqual({ parameters: dense.parameters, macs: dense.macs });
    expect(nonzero).toBeLessThanOrEqual(dense.nonzero);
    expect(nonzero).toBeGreaterThan(0.9 * dense.nonzero);
  });
});

describe('inspectGraph', () => {
  it('lists inputs, operators by work, operator sets and bytes', () => {
    const { graph } = smallEncoder();
    const inspection = inspectGraph(graph, { length: LENGTH });
    expect(inspection.inputs[0]).toEqual({ name: 'input_ids', type: 'int64[batch, sequence]' });
    expect(inspection.outputs).toEqual([{ name: 'logits', type: 'float32[batch, 3]' }]);
    expect(inspection.operators[0]).toMatchObject({ op: 'MatMul', count: 2 * 8 + 1, macs: inspection.macs });
    expect(inspection.opsets['']).toBe(20);
    expect(inspection.bytes).toBe([...graph.weights.values()].reduce((sum, { bytes }) => sum + bytes.length, 0));
    expect(inspection.unknown).toEqual([]);
    const layer = { heads: 4, kvHeads: 4, headWidth: 4, ffn: 24, gated: false, inputWidth: 16, outputWidth: 16 };
    expect(inspection.anatomy).toMatchObject({ layers: [layer, layer], vocabulary: 10, embedding: 16 });
    const parts = inspection.anatomy?.parts ?? [];
    expect(parts.map(({ name }) => name)).toEqual(['embeddings', 'layers.0', 'layers.1', 'head']);
    expect(parts.reduce((sum, { parameters }) => sum + parameters, 0)).toBe(inspection.parameters);
    expect(parts.at(-1)?.parameters).toBe(2 * 16 + 16 * 3 + 3);
  });

  it('counts the work for one image where channels and sides are named, as what reads them wants', () => {
    const builder = new GraphBuilder('pixels');
    const sides = ['batch', 'channels', 'height', 'width'].map(symbol);
    const pixels = builder.input('pixels', 'float32', sides);
    const kernels = builder.weight('kernels', tensorOf('float32', [5, 3, 2, 2], new Float32Array(60)));
    const patches = builder.op('Conv', [pixels, kernels], { strides: [2, 2] });
    const rows = builder.op('Reshape', [patches, builder.ints([0, 0, 49])]);
    const matrix = builder.weight('matrix', tensorOf('float32', [49, 4], new Float32Array(196)));
    const found = inspectGraph(builder.freeze([builder.op('MatMul', [rows, matrix])]), { length: 9 });
    expect(found.macs).toBe(49 * 5 * 3 * 2 * 2 + 5 * 49 * 4);
  });

  it('names operators whose work it cannot count', () => {
    const { graph } = smallEncoder();
    const strange = {
      ...graph,
      nodes: graph.nodes.map((node) => (node.op === 'Gelu' ? { ...node, op: 'Strange' } : node)),
    };
    expect(inspectGraph(strange, { length: LENGTH }).unknown).toEqual(['Strange']);
  });
});

describe('inspectGraph of what other tools quantized or optimized', () => {
  const golden = (file: string) => readGraph(join(import.meta.dirname, '../golden', file));

  it.each(['dynamic', 'static', 'blocks', 'optimized', 'optimized-dynamic'])(
    'finds the layers of the export that it was made of: %s',
    async (name) => {
      const [source, graph] = [await golden('exports/bert-dy.onnx'), await golden(`quantized/${name}.onnx`)];
      const { layers, vocabulary, embedding } = inspectGraph(graph, { length: LENGTH }).anatomy ?? {};
      const layer = { heads: 2, kvHeads: 2, headWidth: 8, ffn: 24, gated: false, inputWidth: 16, outputWidth: 16 };
      expect({ layers, vocabulary, embedding }).toEqual({ layers: [layer, layer], vocabulary: 40, embedding: 16 });
      expect(inspectGraph(source, { length: LENGTH }).anatomy).toMatchObject({ layers, vocabulary, embedding });
    },
  );

  it('finds no layers in what has none', () => {
    const builder = new GraphBuilder('none');
    const x = builder.input('x', 'float32', [1, 4]);
    expect(inspectGraph(builder.freeze([builder.op('Relu', [x])]), { length: LENGTH }).anatomy).toBeUndefined();
  });
});
