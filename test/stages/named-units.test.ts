import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeGraph } from '../../graph/codec/index.ts';
import { concreteView } from '../../graph/concrete.ts';
import type { Graph } from '../../graph/graph.ts';
import { float32Of, tensorOf } from '../../graph/tensor.ts';
import { withoutUnits } from '../../models/anatomy/removal.ts';
import { anatomyOf } from '../../models/anatomy.ts';
import { normalForm, withLayersApart } from '../../models/foreign.ts';
import { inspectGraph } from '../../models/inspect.ts';
import { leastUnits } from '../../stages/prune/named-units.ts';

const folder = join(import.meta.dirname, '../golden/exports');
const exported = (name: string): Graph =>
  normalForm(decodeGraph(readFileSync(join(folder, `${name}.onnx`)), { folder }));

/** The graph with one head, one neuron or one layer made so small that it is the first to go. */
const withSmall = (graph: Graph, part: 'heads' | 'ffn', unit: number): Graph => {
  const [layer] = anatomyOf(concreteView(graph)).layers;
  const weights = new Map(graph.weights);
  for (const { value, axis, owner } of layer?.[part][0]?.group?.weights ?? []) {
    const tensor = weights.get(value);
    if (tensor?.dtype !== 'float32') continue;
    const stride = tensor.dims.slice(axis + 1).reduce((a, b) => a * b, 1);
    const data = float32Of(tensor).map((w, i) => (owner[Math.floor(i / stride) % owner.length] === unit ? w / 1e3 : w));
    weights.set(value, tensorOf('float32', tensor.dims, new Float32Array(data)));
  }
  return { ...graph, weights };
};

describe('units that are chosen by their weights', () => {
  it.each(['bert-ts', 'modernbert-ts', 'llama-dy', 'gpt2-dy'])('are those with the smallest ones in %s', (name) => {
    const graph = exported(name);
    for (const unit of [0, 1]) {
      const removed = leastUnits(withSmall(graph, 'heads', unit), { heads: 1 });
      expect(removed.heads['0']).toEqual([unit]);
    }
    const { ffn } = leastUnits(withSmall(graph, 'ffn', 5), { ffn: 23 });
    expect(ffn['0']).toContain(5);
  });

  it('come to what is left: counts and shares of each layer', () => {
    for (const name of ['modernbert-dy', 'qwen3-dy', 'mobilebert-dy', 'mpnet-dy']) {
      const graph = exported(name);
      const whole = inspectGraph(graph, { length: 5 }).anatomy?.layers ?? [];
      const left = withLayersApart(graph, (apart) =>
        withoutUnits(apart, leastUnits(apart, { heads: '50%', ffn: '50%' })),
      );
      const layers = inspectGraph(left, { length: 5 }).anatomy?.layers ?? [];
      expect(layers.map(({ heads, ffn }) => [heads, ffn])).toEqual(whole.map(({ heads, ffn }) => [heads / 2, ffn / 2]));
    }
  });

  it('are refused where there are none, or fewer', () => {
    const graph = exported('bert-ts');
    expect(() => leastUnits(graph, { layers: 3 })).toThrow('layers: 3 were to be kept, and there are 2');
    expect(() => leastUnits(graph, { ffn: 25 })).toThrow('layer 0 ffn: 25 were to be kept, and there are 24');
  });
});
