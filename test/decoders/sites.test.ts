import { expect, it } from 'vitest';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { parameterNames, sitesOf } from '../../graph/sites.ts';
import { newDecoder } from '../../stages/train/architectures/new-decoder.ts';
import { dataset } from './tiny.ts';

it('a decoder in 8 bits shows each of its weights once, though residual sums join all of them at every layer', () => {
  const sizes = { hidden: 128, layers: 4, heads: 4, kvHeads: 1, ffn: 384, vocabulary: 300 };
  const { graph } = newDecoder({ uses: 'llama', ...sizes, ropeTheta: 10_000, tied: true, dropout: 0 }, dataset, 3);
  const { graph: small, report } = quantizeWeights(fuseForInference(graph));
  expect(Object.keys(report).length).toBeGreaterThan(0);
  const sites = sitesOf(small);
  const places = sites.map(({ weight, node, use }) => `${weight} ${node.name} ${use.input}`);
  expect(new Set(places).size).toBe(places.length);
  expect(parameterNames(small).length).toBeGreaterThan(sizes.layers);
});
