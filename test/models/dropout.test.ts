import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { absorb, bare } from '../../engine/absorb.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { writeGraph } from '../../graph/codec/index.ts';
import { concreteView } from '../../graph/concrete.ts';
import { symbol } from '../../graph/dim.ts';
import type { Graph } from '../../graph/graph.ts';
import { foldConstants, fuseForInference } from '../../graph/rewrite/index.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { anatomyOf, partsOf } from '../../models/anatomy.ts';
import { readBare, rolesOf, sampleFeeds } from '../../models/bare/index.ts';
import { dropping } from '../../models/dropout/index.ts';
import { readForeign } from '../../models/foreign.ts';
import { importModel } from '../../models/importers/index.ts';
import type { Model } from '../../models/model.ts';
import { renamed } from '../rig/renamed.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';
import { goldenFolder, goldenNames } from './golden-checkpoints.ts';
import { outputsOf, smallEncoder } from './support.ts';

let space: Workspace;
beforeAll(() => {
  space = workspace();
});
afterAll(() => space[Symbol.dispose]());

/** Every key of config.json that says a ratio, each another, so that none can stand in for another. */
const ratios = {
  ...{ hidden_dropout_prob: 0.11, attention_probs_dropout_prob: 0.12, classifier_dropout: 0.13 },
  ...{ classifier_dropout_prob: 0.14, dropout: 0.15, attention_dropout: 0.16, seq_classif_dropout: 0.17 },
  ...{ pooler_dropout: 0.18, cls_dropout: 0.19, embedding_dropout: 0.21, mlp_dropout: 0.22 },
};

const configOf = (folder: string) =>
  z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')));

interface Roads {
  readonly checkpoint: Model;
  readonly foreign: Model;
}

/** A golden checkpoint with ratios of its own, as its folder and as the graph of another maker, with config.json beside. */
const bothRoads = async (name: string, head: 'keep' | 'new' = 'keep'): Promise<Roads> => {
  const folder = space.path(`${name}-${head}`);
  cpSync(goldenFolder(name), folder, { recursive: true });
  const config = configOf(folder);
  const own = Object.entries(ratios).filter(([key]) => key in config);
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...Object.fromEntries(own) }));
  const checkpoint = await importModel(folder, '/', { head });
  mkdirSync(join(folder, 'onnx'));
  const file = join(folder, 'onnx', 'model.onnx');
  await writeGraph(file, renamed(checkpoint.graph));
  const { graph } = await readForeign(file);
  expect(graph.nodes.some(({ op }) => op === 'Dropout')).toBe(false);
  return { checkpoint, foreign: await importModel(file, '/', { head }) };
};

/** Ratio and shape of every mask of a training step, in its order. */
const masksOf = ({ graph }: Model, dropout?: number): readonly string[] => {
  const inputs = new Map(graph.inputs.map((input) => [input, input]));
  const { masks } = absorb(bare(graph, 'masks'), graph, { inputs, dropout });
  // A table may be dropped before or behind an axis of one.
  return masks.map(({ ratio, shape }) => `${ratio.toFixed(2)} ${shape.filter((dim) => dim !== 1).join(' x ')}`);
};

describe.each(goldenNames)('the graph of %s, without Dropout', (name) => {
  it('drops where its checkpoint does, at the same ratios, in the same order', async () => {
    const { checkpoint, foreign } = await bothRoads(name);
    expect(masksOf(checkpoint).length).toBeGreaterThan(2);
    expect(masksOf(foreign)).toEqual(masksOf(checkpoint));
  });
});

describe('without config.json', () => {
  const imported = async (name: string, graph: Graph) => {
    const folder = space.path(name);
    mkdirSync(folder);
    cpSync(join(goldenFolder('bert'), 'tokenizer.json'), join(folder, 'tokenizer.json'));
    await writeGraph(join(folder, 'model.onnx'), renamed(graph));
    return importModel(join(folder, 'model.onnx'), '/', { head: 'keep' });
  };
  const ratiosIn = (model: Model) => new Set(masksOf(model).map((mask) => mask.slice(0, 4)));

  it('a file that was exported as it trains drops at the ratio that it has', async () => {
    const { graph } = await importModel(goldenFolder('bert'), '/', { head: 'keep' });
    const model = await imported('as-it-trains', graph);
    expect([...ratiosIn(model)]).toEqual(['0.10']);
    expect(model.remarks).toEqual([
      'dropout has 8 places in its layers, ratios of the file: ' +
        'embeddings 0.1, attention 0.1 (2 times), blocks 0.1 (4 times), classifier 0.1',
    ]);
  });

  it('others drop where training is told a ratio, and say so', async () => {
    const { graph } = await importModel(goldenFolder('bert'), '/', { head: 'keep' });
    const model = await imported('as-it-infers', foldConstants(graph));
    expect(masksOf(model)).toEqual([]);
    expect(masksOf(model, 0.2)).toHaveLength(8);
    expect(model.remarks).toEqual([
      'dropout has 8 places in its layers, and drops nothing there unless training is told a ratio: none is in the file',
    ]);
  });
});

describe('a new head', () => {
  it.each(['bert', 'deberta-v2', 'modernbert'])('stands on the same layers of %s, dropped alike', async (name) => {
    const { checkpoint, foreign } = await bothRoads(name, 'new');
    expect(masksOf(foreign)).toEqual(masksOf(checkpoint));
  });
});

const dropoutsIn = ({ nodes }: Graph): number => nodes.filter(({ op }) => op === 'Dropout').length;

const half = { embeddings: 0.5, positions: 0.5, attention: 0.5, hidden: 0.5, neurons: 0.5, classifier: 0.5 };

const exported = (name: string): Promise<Graph> =>
  readBare(join(import.meta.dirname, `../golden/exports/${name}.onnx`));

const kindsIn = (graph: Graph): Readonly<Record<string, number>> => {
  const kinds: Record<string, number> = {};
  for (const { kind } of dropping(graph, half, { hasHead: false }).places) kinds[kind] = (kinds[kind] ?? 0) + 1;
  return kinds;
};

/** Of two layers each: a sum, attention and feed-forward blocks. */
const plain = { embeddings: 1, attention: 2, hidden: 4 };
const gated = { embeddings: 1, attention: 2, hidden: 2, neurons: 2 };

describe('places are found in exports', () => {
  it.each<[string, Readonly<Record<string, number>>]>([
    ...['albert-dy', 'bert-dy', 'bert-ts', 'bert_mlm-dy', 'bert_tokens-dy', 'distilbert-dy', 'distilbert-ts'].map(
      (name): [string, typeof plain] => [name, plain],
    ),
    ...['electra-ts', 'mpnet-dy', 'roberta-dy', 'gpt2-dy', 'gpt2-ts', 'neox-dy', 'vit-dy', 'vit-ts'].map(
      (name): [string, typeof plain] => [name, plain],
    ),
    ...['known/albert-slim', 'known/bert-torch21fused', 'known/clip_text-ort16', 'known/roberta-ts17train'].map(
      (name): [string, typeof plain] => [name, plain],
    ),
    ['known/t5_encoder-constants', plain],
    ['deberta-dy', { ...plain, positions: 1 }],
    ['known/deberta-optimum', { ...plain, positions: 1 }],
    ...['llama-dy', 'modernbert-dy', 'modernbert-ts', 'qwen3-dy', 'known/mistral-dy24'].map(
      (name): [string, typeof gated] => [name, gated],
    ),
    ['mobilebert-dy', { embeddings: 1, attention: 2, hidden: 2 }],
    ['known/bart_decoder-optimum', { embeddings: 1, attention: 4, hidden: 6 }],
  ])('%s', async (name, kinds) => {
    expect(kindsIn(await exported(name))).toEqual(kinds);
  });

  it.each(['pre', 'post'] as const)('an encoder of decant, %s-norm', (norm) => {
    const { graph } = smallEncoder({ norm, labels: [] });
    expect(kindsIn(foldConstants(graph))).toEqual(plain);
    expect(dropoutsIn(graph)).toBe(dropping(foldConstants(graph), half, { hasHead: false }).places.length);
  });

  it('and none in a graph that adds nothing to a stream', () => {
    const graph = withoutStream();
    expect(dropping(graph, half, { hasHead: false })).toEqual({ graph, places: [] });
  });
});

/** Rows of a table through a matrix. */
const withoutStream = (): Graph => {
  const builder = new GraphBuilder('rows');
  const ids = builder.input('input_ids', 'int64', [symbol('batch'), symbol('sequence')]);
  const numbers = (...dims: [number, number]) =>
    tensorOf(
      'float32',
      dims,
      Float32Array.from({ length: dims[0] * dims[1] }, (_, i) => Math.sin(i)),
    );
  const rows = builder.op('Gather', [builder.weight('table', numbers(20, 8)), ids]);
  return builder.freeze([builder.op('MatMul', [rows, builder.weight('matrix', numbers(8, 8))], {}, 'features')]);
};

const unitsIn = (graph: Graph) =>
  partsOf(anatomyOf(concreteView(graph))).map(({ name, count, width, refused, group }) => ({
    ...{ name, count, width, refused },
    weights: group?.weights.map(({ value, axis, owner }) => `${value} ${axis}: ${[...owner]}`).sort(),
  }));

const operators = ({ nodes }: Graph) => nodes.map(({ op }) => op).sort();

describe.each(['bert-ts', 'deberta-dy', 'mobilebert-dy', 'modernbert-dy', 'gpt2-ts'])('Dropout put into %s', (name) => {
  it('changes no number, no unit that can be cut, and no fused graph', async () => {
    const graph = await exported(name);
    const dropped = dropping(graph, half, { hasHead: false }).graph;
    expect(dropoutsIn(dropped)).toBeGreaterThan(4);
    expect(unitsIn(dropped)).toEqual(unitsIn(graph));
    expect(operators(fuseForInference(dropped))).toEqual(operators(fuseForInference(graph)));
    const roles = rolesOf(graph);
    const feeds = sampleFeeds(roles, { batch: 2, sequence: 5, seed: 1 });
    const [before, after] = [await outputsOf(graph, [feeds]), await outputsOf(dropped, [feeds])];
    expect(after).toEqual(before);
  });
});
