import { describe, expect, test } from 'vitest';
import { motionOf } from '../../engine/depth.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import { type Graph, value } from '../../graph/graph.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { elementCount, tensorOf } from '../../graph/tensor.ts';
import { depthsOf } from '../../models/anatomy/depth.ts';
import { inspectGraph } from '../../models/inspect.ts';
import { renamed } from '../rig/renamed.ts';
import { importGolden } from './golden-checkpoints.ts';

/** What checkpoints call the weights behind their last layer. */
const heads: Readonly<Record<string, RegExp>> = {
  bert: /^(bert\.pooler|classifier)\./,
  distilbert: /^(pre_classifier|classifier)\./,
  roberta: /^classifier\./,
  electra: /^classifier\./,
  mpnet: /^classifier\./,
  albert: /^(albert\.pooler|classifier)\./,
  mobilebert: /^(mobilebert\.pooler|classifier)\./,
  'deberta-v2': /^(pooler|classifier)\./,
  modernbert: /^(model\.final_norm|head|classifier)\./,
};

const headOf = (graph: Graph): readonly string[] => {
  const { groups, of } = depthsOf(graph);
  return [...of].flatMap(([name, at]) => (at.includes(groups.length - 1) ? [name] : [])).sort();
};

const rates = { learningRate: 1e-3, headLearningRate: 5e-3 };

describe.each(Object.entries(heads))('the head of %s', (name, pattern) => {
  const imported = importGolden(name);

  test('is what stands behind its last layer', async () => {
    const { graph } = await imported;
    const expected = [...graph.weights.keys()].filter((weight) => pattern.test(weight)).sort();
    expect(headOf(graph)).toEqual(expected);
  });

  test('is the same to freezing, to its learning rate and to inspect', async () => {
    const model = await imported;
    const head = headOf(model.graph);
    const { frozen } = motionOf(model, { ...rates, freeze: ['head'] });
    expect([...frozen].sort()).toEqual(head);
    const { factors } = motionOf(model, { ...rates, layerDecay: 0.5 });
    expect([...factors].flatMap(([weight, factor]) => (factor === 5 ? [weight] : [])).sort()).toEqual(head);
    const parts = inspectGraph(model.graph, { length: 8 }).anatomy?.parts ?? [];
    const elements = head.map((weight) => elementCount(model.graph.weights.get(value(weight))?.dims ?? []));
    expect(parts.at(-1)).toEqual({ name: 'head', parameters: elements.reduce((a, b) => a + b, 0) });
  });

  test('is the same once it is fused, in 8 bits, and under other names', async () => {
    const { graph } = await imported;
    const fused = fuseForInference(graph);
    const { graph: int8 } = quantizeWeights(fused, { minimumElements: 1, minimumTable: 1 });
    expect(headOf(fused)).toEqual(headOf(graph));
    expect(headOf(int8).map((weight) => weight.replace('_quantized', ''))).toEqual(headOf(graph));
    for (const other of [fused, int8, renamed(graph, true)]) {
      expect(depthsOf(other).groups).toEqual(depthsOf(graph).groups);
      expect(headOf(other)).toHaveLength(headOf(graph).length);
    }
  });
});

test('the norm behind a layer that is the only one belongs to it', async () => {
  const { graph } = await importGolden('mobilebert-mlm');
  expect(headOf(graph).filter((weight) => weight.includes('.layer.0.'))).toEqual([]);
});

test('a model without layers has embeddings and a head', () => {
  const builder = new GraphBuilder('bag');
  const ids = builder.input('ids', 'int64', [symbol('batch'), symbol('sequence')]);
  const weight = (name: string, dims: readonly number[]) =>
    builder.weight(name, tensorOf('float32', dims, new Float32Array(elementCount(dims)).fill(0.5)));
  const rows = builder.op('Gather', [weight('table', [9, 4]), ids]);
  const mean = builder.op('ReduceMean', [rows, builder.ints([1])], { keepdims: 0 });
  const hidden = builder.op('Relu', [builder.op('MatMul', [mean, weight('inner', [4, 4])])]);
  const scores = builder.op('Add', [builder.op('MatMul', [hidden, weight('outer', [4, 3])]), weight('bias', [3])]);
  const graph = builder.freeze([scores]);
  expect(depthsOf(graph).groups).toEqual(['embeddings', 'head']);
  expect(headOf(graph)).toEqual(['bias', 'outer']);
});
