import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../graph/builder.ts';
import { decodeGraph } from '../../graph/codec/index.ts';
import { symbol } from '../../graph/dim.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import { normalized } from '../../graph/normalize/index.ts';
import { tensorOf, vector } from '../../graph/tensor.ts';
import { isUserError } from '../../ground/errors.ts';
import { hostileGraphs } from '../rig/hostile/graphs.ts';

/** The graph in a file, where that is read at all. */
const read = (bytes: Uint8Array): Graph | undefined => {
  try {
    return decodeGraph(bytes);
  } catch (error) {
    if (isUserError(error)) return undefined;
    throw error;
  }
};

describe('a graph of a stranger', () => {
  it.each(hostileGraphs)('is put into one form or refused, and nothing crashes: $name', ({ bytes }) => {
    const graph = read(bytes());
    if (graph === undefined) return;
    try {
      expect(normalized(graph).outputs).toEqual(graph.outputs);
    } catch (error) {
      expect(isUserError(error), String(error)).toBe(true);
    }
  });

  it('is refused where a body that it turns out to run does not fit', () => {
    const builder = new GraphBuilder('choice');
    const x = builder.input('x', 'float32', [symbol('batch'), 3]);
    const yes = builder.weight('yes', tensorOf('bool', [], Uint8Array.of(1)));
    const w = builder.weight('w', vector('float32', [1, 2]));
    const body: Graph = {
      name: 'body',
      nodes: [{ op: 'Add', domain: '', name: 'sum', inputs: [x, w], outputs: [value('out')], attrs: {} }],
      inputs: [],
      outputs: [value('out')],
      weights: new Map(),
      types: new Map(),
      opsets: { '': 20 },
    };
    const branch = { kind: 'graph', value: body } as const;
    const attrs = { then_branch: branch, else_branch: branch };
    builder.add({ op: 'If', domain: '', name: 'choice', inputs: [yes], outputs: [value('y')], attrs });
    expect(() => normalized(builder.freeze([value('y')]))).toThrow(
      "the graph 'choice' does not fit together (decide): Add 'sum'",
    );
  });

  it('is done soon where thousands of nodes compute sizes from sizes', () => {
    const builder = new GraphBuilder('long');
    const x = builder.input('x', 'float32', [symbol('batch')]);
    let size: Value = builder.op('Shape', [builder.op('Neg', [x])]);
    for (let i = 0; i < 5000; i++) size = builder.op('Add', [size, builder.ints([i])]);
    const graph = normalized(builder.freeze([builder.op('Expand', [builder.scalar('float32', 1), size], {}, 'y')]));
    expect(graph.nodes.length).toBeLessThan(10);
  });
});
