import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { crossEntropy, type Loss } from '../../engine/losses/index.ts';
import { buildEvaluation, buildStep } from '../../engine/step.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import { type Graph, value } from '../../graph/graph.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { isUserError } from '../../ground/errors.ts';
import { withClassificationHead, withHead, withTokenHead } from '../../models/head.ts';
import type { Model, ModelInfo } from '../../models/model.ts';
import { withProjection, withSentence } from '../../models/sentence.ts';
import { featuresPort, textSignature } from '../../models/signature.ts';
import { distillation, hiddenStates, imitation } from './imitating.ts';
import { tinySettings } from './rig.ts';

const OPSETS = [7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20];
/** From here on a model can be trained and quantized. */
const OLDEST = 11;
const [ROWS, WIDTH] = [100, 64];

const normal = (name: string, dims: readonly number[]) => {
  const random = stream(3, name);
  return tensorOf(
    'float32',
    dims,
    Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => random.normal()),
  );
};

const info: ModelInfo = {
  schema: 'decant.model/2',
  task: 'features',
  labels: [],
  signature: textSignature({ ids: value('ids'), mask: value('mask') }, featuresPort(value('features'))),
  processor: { tokens: { padding: 0, unknown: 1 }, sentence: { pooling: 'mean', normalize: true } },
  maxLength: 16,
  hiddenStates: [value('features')],
  modelType: 'bert',
  dimensions: {},
};

/** A layer with attention over one head, as exporters of an operator set write it. */
const modelAt = (opset: number): Model => {
  const builder = new GraphBuilder(`model-${opset}`, { '': opset, 'com.microsoft': 1 });
  const shape = [symbol('batch'), symbol('sequence')];
  const [ids, mask] = [builder.input('ids', 'int64', shape), builder.input('mask', 'int64', shape)];
  const x = builder.op('Gather', [builder.weight('table', normal('table', [ROWS, WIDTH])), ids]);
  const linear = (name: string) =>
    builder.op('Add', [
      builder.op('MatMul', [x, builder.weight(`${name}.weight`, normal(name, [WIDTH, WIDTH]))]),
      builder.weight(`${name}.bias`, normal(`${name}.bias`, [WIDTH])),
    ]);
  const keys = builder.op('Transpose', [linear('key')], { perm: [0, 2, 1] });
  const kept = builder.op('Cast', [builder.op('Unsqueeze', [mask, builder.ints([1])])], { to: 1 });
  const bias = builder.op('Mul', [
    builder.op('Sub', [kept, builder.scalar('float32', 1)]),
    builder.scalar('float32', 1e9),
  ]);
  const scores = builder.op('Add', [builder.op('MatMul', [linear('query'), keys]), bias]);
  const shares = builder.op('Softmax', [scores], { axis: 2 });
  const mixed = builder.op('Relu', [builder.op('Add', [builder.op('MatMul', [shares, linear('value')]), x])]);
  const graph = builder.freeze([builder.op('Identity', [mixed], {}, 'features')]);
  return { graph, info, tokenizer: {} };
};

const expectLegal = async (opset: number, emitted: () => Graph): Promise<void> => {
  let graph: Graph;
  try {
    graph = emitted();
  } catch (error) {
    if (!isUserError(error)) throw error;
    expect(error.message).toMatch(/came with operator set \d+, '.*' has \d+: export|needs 11 or newer/);
    expect(opset, error.message).toBeLessThan(OLDEST);
    return;
  }
  const program = await cpuEngine.compile(graph, { threads: 1, optimization: 'none' });
  await program.release();
};

const stepOf = (model: Model, ...losses: readonly Loss[]): Graph => buildStep(model, { losses }).graph;

const [labels, answers] = [crossEntropy(tinySettings), distillation(tinySettings)];
const firstTokens = { task: 'text-classification', at: 'texts', pooling: 'first' } as const;
const lastLayers = { pairs: [[0, 0]], weight: 1 } as const;

const emissions: readonly (readonly [string, (model: Model) => Graph])[] = [
  ['a step of a classifier', (model) => stepOf(withClassificationHead(model, ['a', 'b']), labels, answers)],
  [
    'a step of a classifier of first tokens',
    (model) => stepOf(withHead(model, { ...firstTokens, labels: ['a', 'b'] }), labels),
  ],
  ['a step of a tagger', (model) => stepOf(withTokenHead(model, ['a', 'b']), labels, answers)],
  [
    'a step of sentence vectors',
    (model) => stepOf(withSentence(model), imitation({ uses: 'cosine' }, { answer: 'vector' })),
  ],
  [
    'a step of projected sentence vectors',
    (model) => stepOf(withSentence(withProjection(model, 8, 1)), imitation({ uses: 'cosine' }, { answer: 'vector' })),
  ],
  ['a step with hidden states', (model) => stepOf(model, hiddenStates(model, { model }, lastLayers))],
  [
    'a step with projected hidden states',
    (model) => stepOf(model, hiddenStates(model, { model: withProjection(model, 8, 1) }, lastLayers)),
  ],
  ['what validates a classifier', (model) => buildEvaluation(withClassificationHead(model, ['a', 'b']))],
  ['what validates sentence vectors', (model) => buildEvaluation(withSentence(model))],
  ['a model as it ships', (model) => fuseForInference(withClassificationHead(model, ['a', 'b']).graph)],
  [
    'a quantized model',
    (model) =>
      quantizeWeights(fuseForInference(withClassificationHead(model, ['a', 'b']).graph), { minimumTable: 64 }).graph,
  ],
  ['a model quantized in the file', (model) => quantizeWeights(model.graph).graph],
];

describe('what decant adds to a model is legal in the model’s operator set', () => {
  for (const [name, emitted] of emissions) {
    it.each(OPSETS)(`${name}: %i`, async (opset) => {
      await expectLegal(opset, () => emitted(modelAt(opset)));
    });
  }

  it('the models themselves are', async () => {
    for (const opset of OPSETS.filter((version) => version >= 9)) {
      await expectLegal(opset, () => modelAt(opset).graph);
      expect(modelAt(opset).graph.types.get(value('features'))?.shape?.at(-1)).toBe(WIDTH);
    }
  });
});
