import { describe, expect, it } from 'vitest';
import { storedBefore, storedLeft } from '../../graph/normalize/stored-samples.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { lookedAt, normalForm } from '../../models/foreign.ts';
import { inspectGraph } from '../../models/inspect.ts';
import { batchingOf, isQuantized } from '../../models/quantized.ts';
import { smallEncoder } from './support.ts';

/** Wide enough for its table to be stored in 8 bits; `exclude` leaves what it says in floats. */
const quantized = (exclude: readonly string[]) => {
  const { graph } = smallEncoder({ hidden: 64, ffn: 128, vocabulary: 500 });
  const { graph: made, report } = quantizeWeights(fuseForInference(graph), {
    embeddings: true,
    reduceRange: true,
    exclude,
  });
  const stored = report.weights.filter(({ storage }) => storage === 'int8').map(({ name }) => name);
  return { graph: made, stored };
};

describe('a graph is quantized', () => {
  const { stored } = quantized([]);
  const tables = stored.filter((name) => name.includes('embeddings'));
  const products = stored.filter((name) => !name.includes('embeddings'));

  it('that has weights of products in 8 bits; its texts are asked one by one', () => {
    const { graph } = quantized(tables);
    expect([isQuantized(graph), batchingOf(graph)]).toEqual([true, 'single']);
  });

  it('of which a table alone is in 8 bits; no text sees its neighbours there', () => {
    expect(tables.length).toBeGreaterThan(0);
    const { graph } = quantized(products);
    expect([isQuantized(graph), batchingOf(graph)]).toEqual([true, 'length']);
  });

  it.each(storedBefore)('no more in normal form that has nothing but $name in few bits', ({ graph }) => {
    expect([isQuantized(graph()), isQuantized(normalForm(graph()))]).toEqual([true, false]);
  });

  it.each(storedBefore.filter(({ name }) => name.includes('table')))(
    'is inspected as the floats of $name',
    ({ graph }) => {
      const [given, normal] = [graph(), lookedAt(graph())];
      expect([...normal.weights.values()].map(({ dtype, dims }) => [dtype, dims.length])).toEqual([['float32', 2]]);
      expect(inspectGraph(given, { length: 8, normal }).parameters).toBeGreaterThan(9 * 30);
    },
  );

  it.each(storedLeft)('in normal form as well that has $name', ({ graph }) => {
    expect(isQuantized(normalForm(graph()))).toBe(true);
  });

  it('no other', () => {
    const { graph } = smallEncoder({});
    expect([isQuantized(graph), batchingOf(graph)]).toEqual([false, 'length']);
  });
});
