import { describe, expect, it } from 'vitest';
import type { HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { fused } from '../../engine/engines/tensorflow/fuse.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { farthest } from './compare.ts';
import { javascriptEngine } from './javascript.ts';
import { wholeGraphs } from './whole-graphs.ts';

const graphOf = (make: (builder: GraphBuilder, x: (...dims: readonly number[]) => Value) => Value): Graph => {
  const builder = new GraphBuilder('fuse');
  let inputs = 0;
  return builder.freeze([make(builder, (...dims) => builder.input(`x${inputs++}`, 'float32', dims))]);
};

const numbers = (dims: readonly number[], seed: number): HostTensor => {
  const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(seed + 1.7 * i));
  return { dtype: 'float32', dims, data };
};

const operators = (graph: Graph): string => graph.nodes.map(({ op }) => op).join();

const matrix = { perm: [0, 2, 1] };

describe('the graph in fewer calls of TensorFlow.js', () => {
  it.each<readonly [string, Graph, string]>([
    [
      'a turned right side',
      graphOf((b, x) => b.op('MatMul', [x(2, 3, 4), b.op('Transpose', [x(2, 5, 4)], matrix)])),
      'FusedMatMul',
    ],
    [
      'a turned left side',
      graphOf((b, x) => b.op('MatMul', [b.op('Transpose', [x(2, 4, 3)], matrix), x(2, 4, 5)])),
      'FusedMatMul',
    ],
    [
      'both sides turned',
      graphOf((b, x) =>
        b.op('MatMul', [b.op('Transpose', [x(2, 4, 3)], matrix), b.op('Transpose', [x(2, 5, 4)], matrix)]),
      ),
      'FusedMatMul',
    ],
    [
      'a side of Gemm that is turned twice',
      graphOf((b, x) => b.op('Gemm', [b.op('Transpose', [x(3, 4)], { perm: [1, 0] }), x(4, 5)], { transA: 1 })),
      'Gemm',
    ],
    [
      'heads, which are another turn',
      graphOf((b, x) => b.op('MatMul', [x(2, 3, 4, 5), b.op('Transpose', [x(2, 6, 3, 5)], { perm: [0, 2, 3, 1] })])),
      'Transpose,MatMul',
    ],
    [
      'a norm scaled by ones',
      graphOf((b, x) => b.op('LayerNormalization', [x(3, 4), b.op('Expand', [b.scalar('float32', 1), b.ints([4])])])),
      'LayerNormalization',
    ],
    [
      'a norm scaled by twos',
      graphOf((b, x) => b.op('LayerNormalization', [x(3, 4), b.op('Expand', [b.scalar('float32', 2), b.ints([4])])])),
      'Expand,LayerNormalization',
    ],
  ])('gives the same for %s', async (_, graph, expected) => {
    expect(operators(fused(graph))).toBe(expected);
    const feeds = Object.fromEntries(
      graph.inputs.map((name, i) => [name, numbers((graph.types.get(name)?.shape ?? []).map(Number), i)]),
    );
    const results = [];
    for (const engine of [javascriptEngine(), cpuEngine]) {
      const program = await engine.compile(graph, { threads: 1 });
      results.push(await program.run(feeds));
      await program.release();
    }
    const [ours, theirs] = results;
    expect(farthest(ours ?? {}, theirs ?? {}).by).toBeLessThan(1e-5);
  });

  it('leaves no matrix of a step to be turned before a product', async () => {
    const step = wholeGraphs.find(({ name }) => name === 'a step of text-classification towards its targets');
    const { graph } = (await step?.make()) ?? { graph: graphOf((_, x) => x(1)) };
    const count = (one: Graph, op: string): number => one.nodes.filter((node) => node.op === op).length;
    expect(count(graph, 'Transpose')).toBeGreaterThan(2 * count(fused(graph), 'Transpose'));
    expect(count(fused(graph), 'Expand')).toBeLessThan(count(graph, 'Expand'));
  });
});
