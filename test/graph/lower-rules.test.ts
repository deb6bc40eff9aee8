import { describe, expect, it } from 'vitest';
import { loweringRules } from '../../graph/lower/index.ts';
import { rewrite } from '../../graph/rewrite/index.ts';
import { difference, feedsFor, operatorsOf, outputsOf } from './rewrite-run.ts';

/** Sums in another order, and logarithms of sums: a few float32 roundings of values around 1. */
const tolerance = 1e-5;

const symbols = { batch: 3, sequence: 5 };

for (const rule of Object.values(loweringRules)) {
  describe(`rule ${rule.name}`, () => {
    it.each(rule.fires)('fires and keeps outputs: $name', async (sample) => {
      const graph = sample.graph();
      const lowered = rewrite(graph, [rule]);
      expect(operatorsOf(lowered)).not.toEqual(operatorsOf(graph));
      expect(lowered.outputs).toEqual(graph.outputs);
      const feeds = feedsFor(graph, symbols, { seed: 1, vocabulary: 3 });
      expect(difference(await outputsOf(graph, feeds), await outputsOf(lowered, feeds))).toBeLessThan(tolerance);
    });
    it.each(rule.holds)('holds: $name', (sample) => {
      const graph = sample.graph();
      expect(rewrite(graph, [rule])).toBe(graph);
    });
  });
}
