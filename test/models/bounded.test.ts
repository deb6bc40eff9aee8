import { expect, it } from 'vitest';
import { decodeGraph } from '../../graph/codec/index.ts';
import { expectBounded } from '../../models/bounded.ts';
import { bombs } from '../rig/hostile/graphs-bombs.ts';
import { certainties, chances } from '../rig/hostile/graphs-chances.ts';

const bounded = (bytes: Uint8Array) => () => expectBounded(decodeGraph(bytes));

it.each(chances)('refuses what answers by chance: $name', ({ name, bytes }) => {
  const [operator = ''] = name.split(' ');
  const where = operator === 'Multinomial' ? 'picked' : name.endsWith('an If') ? 'made' : 'drawn';
  expect(bounded(bytes())).toThrow(`node 'node of ${where}' is a ${operator}`);
  expect(bounded(bytes())).toThrow(
    'which draws random numbers: the same text would get another answer each time; export the model for inference',
  );
});

it.each(certainties)('takes what always answers alike: $name', ({ bytes }) => {
  expect(bounded(bytes())).not.toThrow();
});

it.each(bombs.filter(({ name }) => /Loop|Scan|SequenceMap/.test(name)))('refuses $name', ({ bytes }) => {
  expect(bounded(bytes())).toThrow(/is a (Loop|Scan|SequenceMap), and nobody can tell whether it ends, or when/);
});
