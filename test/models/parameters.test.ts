import { expect, test } from 'vitest';
import { parameterNames } from '../../graph/sites.ts';
import { goldenNames, importGolden } from './golden-checkpoints.ts';

/** A builder calls the constants that it makes so; the parameters of a checkpoint have names of their own. */
const isMadeByBuilder = (name: string): boolean => /(^|\/)constant_\d+$/.test(name);

test('the parameters of every golden checkpoint are its float weights but for the constants of its builder', async () => {
  let count = 0;
  for (const name of goldenNames) {
    const { graph } = await importGolden(name);
    const named = [...graph.weights].filter(([weight, { dtype }]) => dtype === 'float32' && !isMadeByBuilder(weight));
    expect({ name, parameters: parameterNames(graph) }).toEqual({ name, parameters: named.map(([weight]) => weight) });
    count += named.length;
  }
  expect(count).toBe(1370);
});
