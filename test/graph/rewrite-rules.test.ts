import { describe, expect, it } from 'vitest';
import { decodingRules, foldConstants, inferenceRules, rewrite } from '../../graph/rewrite/index.ts';
import { difference, feedsFor, outputsOf, outputsOfEach } from './rewrite-run.ts';

/** Fused kernels add in another order: a few float32 roundings of values around 1. */
const tolerance = 1e-5;

const symbols = { batch: 3, sequence: 5 };

for (const rule of [...inferenceRules, ...decodingRules]) {
  describe(`rule ${rule.name}`, () => {
    for (const sample of rule.fires) {
      it(`fires and keeps outputs: ${sample.name}`, async () => {
        const graph = foldConstants(sample.graph());
        const fused = rewrite(graph, [rule]);
        expect(fused).not.toBe(graph);
        expect(fused.outputs).toEqual(graph.outputs);
        const feeds = feedsFor(graph, symbols, { seed: 1 });
        expect(difference(await outputsOf(graph, feeds), await outputsOf(fused, feeds))).toBeLessThan(tolerance);
      });
      it(`keeps outputs of texts without tokens: ${sample.name}`, async () => {
        const graph = foldConstants(sample.graph());
        const fused = rewrite(graph, [rule]);
        // After a full batch, memory that a kernel forgets to write holds old numbers.
        const batches = [symbols, { batch: 3, sequence: 0 }].map((dims) => feedsFor(graph, dims, { seed: 1 }));
        const [expected, found] = [await outputsOfEach(graph, batches), await outputsOfEach(fused, batches)];
        expect(difference(expected.flat(), found.flat())).toBeLessThan(tolerance);
      });
    }
    for (const sample of rule.holds) {
      it(`holds: ${sample.name}`, () => {
        const graph = foldConstants(sample.graph());
        expect(rewrite(graph, [rule])).toBe(graph);
      });
    }
  });
}
