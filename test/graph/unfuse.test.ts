import { describe, expect, it } from 'vitest';
import { unfuse, unfusions } from '../../graph/normalize/unfuse/index.ts';
import { difference, feedsFor, operatorsOf, outputsOf } from './rewrite-run.ts';

/** Parts round at other places than a fused kernel: a few float32 roundings of values around 1. */
const TOLERANCE = 1e-5;

/** Several texts, one token, one text, and as many tokens as a mask repeats. */
const sizes = [
  { batch: 3, sequence: 5 },
  { batch: 2, sequence: 1 },
  { batch: 1, sequence: 7 },
];

/** Those that ONNX Runtime has a kernel for: unfuse-relative.test.ts holds the other one against its definition. */
const compared = unfusions.filter(({ changes, leaves }) => changes.length + leaves.length > 0);

for (const { domain, op, changes, leaves } of compared) {
  describe(`${domain === '' ? '' : `${domain}:`}${op}`, () => {
    for (const sample of changes) {
      it.each(sizes)(`computes the same in parts: ${sample.name}, batch $batch, length $sequence`, async (symbols) => {
        const graph = sample.graph();
        const apart = unfuse.run(graph);
        expect(Object.keys(operatorsOf(apart))).not.toContain(domain === '' ? op : `${domain}:${op}`);
        expect([apart.inputs, apart.outputs]).toEqual([graph.inputs, graph.outputs]);
        const feeds = feedsFor(graph, symbols, { seed: 1 });
        expect(difference(await outputsOf(graph, feeds), await outputsOf(apart, feeds))).toBeLessThan(TOLERANCE);
      });
    }
    it.each(leaves)('stays: $name', (sample) => {
      const graph = sample.graph();
      expect(unfuse.run(graph)).toBe(graph);
    });
  });
}
