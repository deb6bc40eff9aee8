import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { productGroups, smoothed } from '../../graph/quantize/smooth.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { smallEncoder } from '../models/support.ts';
import { feedsFor, operatorsOf, outputsOf } from './rewrite-run.ts';

/** Scales from a hundredth to a hundred, one an element of every group. */
const scalesFor = (graph: Graph): ReadonlyMap<Value, Float32Array> => {
  const random = stream(5, 'scales');
  return new Map(
    productGroups(graph).map(({ input, width }) => [
      input,
      Float32Array.from({ length: width }, () => 10 ** (4 * random.uniform() - 2)),
    ]),
  );
};

const apart = (a: readonly Float32Array[], b: readonly Float32Array[]): number => {
  const [x = new Float32Array(), y = new Float32Array()] = [a[0], b[0]];
  const size = Math.max(...x.map(Math.abs));
  return Math.max(...x.map((one, i) => Math.abs(one - (y[i] ?? Number.NaN)))) / size;
};

const multiplications = (graph: Graph): number => operatorsOf(graph).Mul ?? 0;

describe('an evened graph', () => {
  it('computes what it computed, whatever the scales', async () => {
    const graph = fuseForInference(smallEncoder().graph);
    const even = smoothed(graph, scalesFor(graph));
    const feeds = feedsFor(graph, { batch: 2, sequence: 7 }, { seed: 3, vocabulary: 10 });
    expect(productGroups(graph).length).toBeGreaterThan(3);
    expect(apart(await outputsOf(graph, feeds), await outputsOf(even, feeds))).toBeLessThan(1e-4);
  });

  it('divides values of attention and norms where they are made, and puts a product before other matrices', () => {
    const graph = fuseForInference(smallEncoder().graph);
    const groups = productGroups(graph);
    const makers = groups.map(({ input }) => graph.nodes.find(({ outputs }) => outputs.includes(input))?.op ?? '');
    const folding = makers.filter((op) => op === 'Attention' || op === 'LayerNormalization');
    expect(folding).toContain('Attention');
    expect(folding).toContain('LayerNormalization');
    const added = multiplications(smoothed(graph, scalesFor(graph))) - multiplications(graph);
    expect(added).toBe(groups.length - folding.length);
    expect(added).toBeGreaterThan(0);
  });

  it('divides a norm that feeds products alone', async () => {
    const builder = new GraphBuilder('norm');
    const random = stream(1, 'norm');
    const weight = (name: string, ...dims: readonly number[]): Value => {
      const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.normal());
      return builder.weight(name, tensorOf('float32', dims, data));
    };
    const x = builder.input('x', 'float32', [symbol('batch'), 64]);
    const norm = builder.op('LayerNormalization', [x, weight('gamma', 64), weight('beta', 64)]);
    const sum = builder.op('Add', [
      builder.op('MatMul', [norm, weight('a', 64, 64)]),
      builder.op('MatMul', [norm, weight('b', 64, 64)]),
    ]);
    const graph = builder.freeze([builder.op('MatMul', [sum, weight('c', 64, 64)], {}, 'y')]);
    const scales = new Map([[norm, scalesFor(graph).get(norm) ?? new Float32Array()]]);
    const even = smoothed(graph, scales);
    expect(operatorsOf(even)).toEqual(operatorsOf(graph));
    const feeds = feedsFor(graph, { batch: 3, sequence: 1 }, { seed: 3, vocabulary: 50 });
    expect(apart(await outputsOf(graph, feeds), await outputsOf(even, feeds))).toBeLessThan(1e-4);
  });
});
