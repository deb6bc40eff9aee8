import { describe, expect, it } from 'vitest';
import { absorb, bare } from '../../engine/absorb.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { applyCuts } from '../../graph/cut/index.ts';
import { type Graph, value } from '../../graph/graph.ts';
import { foldConstants } from '../../graph/rewrite/fold.ts';
import { scalar, tensorOf, vector } from '../../graph/tensor.ts';
import { bypassLayer } from '../../models/anatomy/bypass.ts';
import { layerSpansOf } from '../../models/anatomy/layers.ts';
import { rebuilt } from '../../models/anatomy/rebuild.ts';
import { smallEncoder } from '../models/support.ts';

describe('a graph builder', () => {
  it('leaves out nodes and weights that no output needs', () => {
    const builder = new GraphBuilder('g');
    const x = builder.input('x', 'float32', [2]);
    const used = builder.weight('used', vector('float32', [1, 2]));
    builder.op('Relu', [builder.weight('unused', vector('float32', [3, 4]))]);
    const graph = builder.freeze([builder.op('Add', [x, used], {}, 'y')]);
    expect(graph.nodes.map((node) => node.op)).toEqual(['Add']);
    expect([...graph.weights.keys()]).toEqual(['used']);
    expect(graph.outputs).toEqual(['y']);
  });

  it('shares equal small constants and keeps those of other types apart', () => {
    const builder = new GraphBuilder('g');
    expect(builder.scalar('float32', 1)).toBe(builder.constant(scalar('float32', 1)));
    expect(builder.ints([0])).not.toBe(builder.scalar('int64', 0));
  });

  it('refuses a second value of the same name', () => {
    const builder = new GraphBuilder('g');
    builder.input('x', 'float32', [1]);
    expect(() => builder.weight('x', vector('float32', [1]))).toThrow("already has a value called 'x'");
  });

  it('continues a finished graph without renaming or clashing', () => {
    const first = new GraphBuilder('g');
    const x = first.input('x', 'float32', [1]);
    const graph = first.freeze([first.op('Relu', [x])]);
    const builder = GraphBuilder.from(graph);
    const again = builder.op('Relu', [graph.outputs[0] ?? value('')]);
    const longer = builder.freeze([again]);
    expect(longer.nodes.length).toBe(2);
    expect(new Set(longer.nodes.map((node) => node.outputs[0])).size).toBe(2);
  });
});

describe('tensors', () => {
  it('refuse data that does not fill the shape', () => {
    expect(() => tensorOf('float32', [3], new Float32Array(2))).toThrow('needs 12 bytes, got 8');
  });
});

describe('a copy of a graph', () => {
  const { graph: plain } = smallEncoder();
  const packed = { ...plain, origins: new Map([[value('classifier.weight'), [value('one'), value('other')]]]) };
  const copies: Readonly<Record<string, () => Graph>> = {
    'to go on with': () => GraphBuilder.from(packed).freeze(packed.outputs),
    'with other nodes': () => rebuilt(packed, packed.weights, (node) => node),
    'after a cut': () => applyCuts(packed, [], []),
    'without a layer': () => {
      const [layer] = layerSpansOf(packed);
      return layer === undefined ? plain : bypassLayer(packed, layer);
    },
    folded: () => foldConstants(packed),
    'in a step': () => {
      const builder = bare(packed, 'step');
      const inputs = new Map(packed.inputs.map((input) => [input, input]));
      const { resolve } = absorb(builder, packed, { inputs, dropout: 'off' });
      return builder.freeze(packed.outputs.map(resolve));
    },
  };

  it.each(Object.entries(copies))('%s still knows what its weights were packed from', (_, copy) => {
    expect(copy().origins).toEqual(packed.origins);
  });

  it('stays away from the names of nodes that are still to come', () => {
    const first = new GraphBuilder('g');
    const graph = first.freeze([first.op('Relu', [first.input('x', 'float32', [1])])]);
    const builder = GraphBuilder.like(graph);
    expect(graph.outputs).not.toContain(builder.op('Relu', [value('x')]));
  });
});
