import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attentionsOf } from '../../graph/attention.ts';
import { readGraph } from '../../graph/codec/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { layerSpansOf } from '../../models/anatomy/layers.ts';
import { type Taps, tapsIn, tapsOf } from '../../models/anatomy/taps.ts';
import { lookedAt } from '../../models/foreign.ts';
import { knownFolder } from '../rig/known.ts';
import { importGolden } from './golden-checkpoints.ts';

const exported = async (name: string): Promise<Graph> => lookedAt(await readGraph(join(knownFolder, `${name}.onnx`)));

const tapsOfExport = (graph: Graph): Taps =>
  tapsIn(
    graph,
    layerSpansOf(graph).map(({ output }) => output),
  );

/** Heads of each layer, or why it cannot be looked into; and what queries and keys were multiplied by. */
const shown = ({ layers }: Taps) =>
  layers.map(({ attention }) =>
    typeof attention === 'string'
      ? attention
      : [attention.heads, attention.queries.scale, attention.keys.scale].map((x) => Number(x.toFixed(4))),
  );

describe('where models are looked into', () => {
  it.each([
    ['bert', [4, 1, 1]],
    ['mobilebert', [3, 1, 1]],
    ['mpnet', [4, 1, 1]],
  ])('is every layer of a checkpoint: %s', async (name, layer) => {
    const taps = tapsOf(await importGolden(name));
    expect(shown(taps)).toEqual([layer, layer]);
    expect(taps.embeddings).toBeDefined();
  });

  it.each([
    // The scale behind the product, its root in queries and in keys, all of it in queries.
    ['bert-ts17', [4, 1, 1]],
    ['bert_base-dy20external', [4, 0.6389, 0.6389]],
    ['whisper_encoder-dy20', [4, 0.4082, 1]],
    ['deberta-optimum', 'its attention has no axis of heads'],
  ])('is every layer of an export, with the scale that its queries and keys hold: %s', async (name, layer) => {
    const graph = await exported(name);
    expect(shown(tapsOfExport(graph))).toEqual([layer, layer]);
    if (typeof layer !== 'string') expect(attentionsOf(graph)[0]?.scale).toBeCloseTo(6 ** -0.5, 4);
  });
});
