import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { value } from '../../graph/graph.ts';
import { isParameter, parameterNames } from '../../graph/sites.ts';
import { elementCount, float32Of } from '../../graph/tensor.ts';
import { hiddenStatesOf } from '../../models/anatomy/hidden-states.ts';
import { withClassificationHead } from '../../models/head.ts';
import { initialize } from '../../models/initialize.ts';
import type { Model } from '../../models/model.ts';
import { reinitialize } from '../../models/reinitialize.ts';
import { textPort } from '../../models/signature.ts';
import { batchOf, largestDifference, outputsOf, smallEncoder, smallOptions } from './support.ts';

/** Float32 sums in another order, over values of about 1. */
const ROUNDING = 1e-5;

const weight = (model: Model, name: string): Float32Array => {
  const tensor = model.graph.weights.get(value(name));
  if (tensor === undefined) throw new Error(`no weight ${name}`);
  return float32Of(tensor);
};

const deviation = (elements: Float32Array): number => {
  const mean = elements.reduce((a, b) => a + b, 0) / elements.length;
  return Math.sqrt(elements.reduce((a, b) => a + (b - mean) ** 2, 0) / elements.length);
};

const shapes = fc.record({
  hidden: fc.constantFrom(8, 16),
  layers: fc.integer({ min: 1, max: 3 }),
  heads: fc.constantFrom(1, 2, 4),
  ffn: fc.constantFrom(8, 12),
  norm: fc.constantFrom('pre' as const, 'post' as const),
  activation: fc.constantFrom('gelu' as const, 'relu' as const),
  pooling: fc.constantFrom('mean' as const, 'first' as const),
  labels: fc.constantFrom([], ['x', 'y'], ['x', 'y', 'z']),
});

describe('buildEncoder', () => {
  it('emits graphs that run, whose outputs do not depend on padding', async () => {
    await fc.assert(
      fc.asyncProperty(
        shapes,
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 }),
        async (shape, ids) => {
          const model = smallEncoder(shape);
          const [alone = [], padded = []] = await outputsOf(model.graph, [batchOf([ids]), batchOf([ids, [2, 3]], 9)]);
          expect(alone.every(Number.isFinite)).toBe(true);
          expect(largestDifference(alone, padded.slice(0, alone.length))).toBeLessThan(ROUNDING);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('puts out one finite row of logits for a text without tokens', async () => {
    const [logits = []] = await outputsOf(smallEncoder().graph, [batchOf([[]])]);
    expect(logits).toHaveLength(3);
    expect(logits.every(Number.isFinite)).toBe(true);
  });

  it('tells texts apart that hold the same words in another order', async () => {
    const [one = [], other = []] = await outputsOf(smallEncoder().graph, [batchOf([[2, 3, 4]]), batchOf([[4, 3, 2]])]);
    expect(largestDifference(one, other)).toBeGreaterThan(ROUNDING);
  });

  it('names parameters as Hugging Face does and keeps Q, K and V apart', () => {
    const names = parameterNames(smallEncoder().graph);
    expect(names).toContain('encoder.layer.1.attention.self.key.weight');
    expect(names).toContain('encoder.layer.0.intermediate.LayerNorm.weight');
    expect(names).toContain('embeddings.position_embeddings.weight');
    expect(names).toContain('classifier.bias');
    expect(parameterNames(smallEncoder({ norm: 'post' }).graph)).toContain(
      'encoder.layer.0.attention.output.LayerNorm.bias',
    );
  });

  it('lists the residual stream after each layer, normalised where norms come last', async () => {
    const model = smallEncoder({ norm: 'post', labels: [] });
    const { graph } = model;
    expect(hiddenStatesOf(model)).toEqual(['encoder.layer.0.output', 'last_hidden_state']);
    const names = [0, 1].map((layer) => `encoder.layer.${layer}.output`);
    for (const labels of [[], ['x', 'y']]) expect(hiddenStatesOf(smallEncoder({ labels }))).toEqual(names);
    const [row = []] = await outputsOf({ ...graph, outputs: [value('encoder.layer.0.output')] }, [batchOf([[2]])]);
    expect(deviation(Float32Array.from(row))).toBeCloseTo(1, 3);
    expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 3);
  });

  it('refuses heads that do not divide the width', () => {
    expect(() => smallEncoder({ heads: 3 })).toThrow('3 heads do not divide a width of 16: choose heads that do');
  });
});

describe('parameters', () => {
  it('are the named weights, without axes, scales and mask values', () => {
    const { graph } = smallEncoder();
    const constants = [...graph.weights.keys()].filter((name) => !isParameter(graph, name));
    expect(constants.length).toBeGreaterThan(0);
    expect(constants.filter((name) => !/(^|\/)constant_\d+$/.test(name))).toEqual([]);
    const floats = constants.filter((name) => graph.weights.get(name)?.dtype === 'float32');
    expect(floats.every((name) => elementCount(graph.weights.get(name)?.dims ?? [2]) === 1)).toBe(true);
  });
});

describe('withClassificationHead', () => {
  it('pools the tokens that the mask keeps and multiplies by the classifier', async () => {
    const features = smallEncoder({ labels: [] });
    const headed = withClassificationHead(features, ['x', 'y']);
    expect(new Set(weight(headed, 'classifier.weight'))).toEqual(new Set([0]));
    const drawn = initialize(7, 'classifier.weight', [16, 2], { kind: 'xavier' });
    const weights = new Map([...headed.graph.weights, [value('classifier.weight'), drawn]]);
    const model = { ...headed, graph: { ...headed.graph, weights } };
    const feeds = batchOf([[2, 3, 5]], 6);
    const [rows = []] = await outputsOf(features.graph, [feeds]);
    const [logits = []] = await outputsOf(model.graph, [feeds]);
    const matrix = weight(model, 'classifier.weight');
    const expected = [0, 1].map((label) => {
      let sum = 0;
      for (let i = 0; i < 3 * 16; i++) sum += ((rows[i] ?? 0) / 3) * (matrix[(i % 16) * 2 + label] ?? 0);
      return sum;
    });
    expect(largestDifference(logits, expected)).toBeLessThan(ROUNDING);
    expect(model.info).toMatchObject({ task: 'text-classification', labels: ['x', 'y'] });
    expect(model.info.signature.outputs).toEqual([textPort(value('logits'))]);
  });

  it('leaves a model with the same labels alone and refuses other labels', () => {
    const model = smallEncoder();
    expect(withClassificationHead(model, smallOptions.labels)).toBe(model);
    expect(() => withClassificationHead(model, ['x', 'y'])).toThrow(
      'the model already tells 3 (animal, motion, rest) classes apart, the data has 2 (x, y) classes;',
    );
  });
});

describe('reinitialize', () => {
  it('keeps every shape and draws by role: norms 1 and 0, biases 0, embeddings N(0, 0.02), matrices by fan', () => {
    const model = reinitialize(smallEncoder({ vocabulary: 400, hidden: 64, ffn: 128, activation: 'relu' }), 5);
    expect(new Set(weight(model, 'encoder.layer.0.attention.LayerNorm.weight'))).toEqual(new Set([1]));
    expect(new Set(weight(model, 'encoder.layer.0.attention.LayerNorm.bias'))).toEqual(new Set([0]));
    expect(new Set(weight(model, 'encoder.layer.1.output.dense.bias'))).toEqual(new Set([0]));
    expect(deviation(weight(model, 'embeddings.word_embeddings.weight'))).toBeCloseTo(0.02, 3);
    const he = Math.sqrt(2 / 64);
    const xavier = Math.sqrt(2 / (64 + 64));
    expect(deviation(weight(model, 'encoder.layer.0.intermediate.dense.weight')) / he).toBeCloseTo(1, 1);
    expect(deviation(weight(model, 'encoder.layer.0.attention.self.query.weight')) / xavier).toBeCloseTo(1, 1);
  });

  it('gives equal weights for equal seeds and other weights for other seeds', () => {
    const model = smallEncoder();
    const name = 'encoder.layer.0.attention.self.query.weight';
    expect(weight(reinitialize(model, 3), name)).toEqual(weight(reinitialize(model, 3), name));
    expect(weight(reinitialize(model, 3), name)).not.toEqual(weight(reinitialize(model, 4), name));
  });

  it('draws a parameter alike whatever else the model holds', () => {
    const name = 'encoder.layer.0.attention.self.query.weight';
    expect(weight(smallEncoder({ layers: 1 }), name)).toEqual(weight(smallEncoder({ layers: 3 }), name));
  });

  it('leaves constants as they are', () => {
    const { graph } = smallEncoder();
    const before = graph.weights;
    const after = reinitialize(smallEncoder(), 9).graph.weights;
    const constants = [...before].filter(([name]) => !isParameter(graph, name));
    expect(constants.length).toBeGreaterThan(0);
    for (const [name, tensor] of constants) expect(after.get(name)?.bytes.read()).toEqual(tensor.bytes.read());
  });
});
