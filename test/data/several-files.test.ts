import { symlinkSync } from 'node:fs';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../data/dataset.ts';
import { check, dataSchema, load, look, sources } from '../../data/datasets/index.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';
import { refusal } from './refusal.ts';

type Options = Readonly<Record<string, unknown>>;

const rows = (count: number, first = 0): string =>
  Array.from({ length: count }, (_, i) => `text number ${first + i},${(first + i) % 3 === 0 ? 'no' : 'yes'}\n`).join(
    '',
  );

const table = (count: number, first = 0): string => `text,label\n${rows(count, first)}`;

const configOf = (options: Options) => dataSchema.parse({ uses: 'csv', ...options });

const textsOf = ({ train, unlabelled, validation, test }: Dataset): readonly string[] =>
  [...train, ...unlabelled, ...validation, ...test].map(({ text }) => text);

const threeFiles = (space: Workspace): void => {
  space.write('data/b.csv', table(100, 100));
  space.write('data/a.csv', table(100));
  space.write('data/deep/c.csv', table(100, 200));
};

describe('several files', () => {
  it.each([
    ['a list, in its order', ['data/b.csv', 'data/a.csv'], ['data/b.csv', 'data/a.csv']],
    ['a pattern, in the order of paths', 'data/*.csv', ['data/a.csv', 'data/b.csv']],
    ['a pattern over folders', 'data/**/*.csv', ['data/a.csv', 'data/b.csv', 'data/deep/c.csv']],
    ['a pattern less something', ['data/**/*.csv', '!data/a.csv'], ['data/b.csv', 'data/deep/c.csv']],
    ['a pattern and a file of it, once', ['data/b.csv', 'data/*.csv'], ['data/b.csv', 'data/a.csv']],
    ['alternatives', 'data/{a,deep/c}.csv', ['data/a.csv', 'data/deep/c.csv']],
  ])('may be %s', async (_, file, expected) => {
    using space = workspace();
    threeFiles(space);
    const config = configOf({ file });
    expect(await check(config, space.folder)).toEqual([]);
    expect(await sources(config, space.folder)).toEqual(expected.map((name) => space.path(name)));
    expect(textsOf((await load(config, space.folder)).dataset).length).toBe(100 * expected.length);
  });

  it('make the dataset that one file of all rows makes', async () => {
    using space = workspace();
    threeFiles(space);
    space.write('all.csv', `${table(300)}`);
    const several = await load(configOf({ file: ['data/a.csv', 'data/b.csv', 'data/deep/*.csv'] }), space.folder);
    expect(several.dataset).toEqual((await load(configOf({ file: 'all.csv' }), space.folder)).dataset);
  });

  it('may be of every split and of texts without labels, in any format', async () => {
    using space = workspace();
    threeFiles(space);
    space.write('v.csv', table(40, 400));
    space.write('t1.csv', table(30, 500));
    space.write('t2.csv', table(30, 600));
    space.write('more/1.jsonl', '{"text":"one more"}\n');
    const column = { name: 'text', data: ['another'] };
    space.write('more/2.parquet', new Uint8Array(parquetWriteBuffer({ columnData: [column] })));
    const config = configOf({ train: 'data/*.csv', validation: ['v.csv'], test: 't*.csv', unlabelled: 'more/*' });
    expect(await check(config, space.folder)).toEqual([]);
    const { dataset } = await load(config, space.folder);
    expect([dataset.train, dataset.validation, dataset.test, dataset.unlabelled].map(({ length }) => length)).toEqual([
      200, 40, 60, 2,
    ]);
  });

  it('have messages with the name of the one that is wrong', async () => {
    using space = workspace();
    threeFiles(space);
    space.write('data/b.csv', `${table(20)}x,\n`);
    const config = configOf({ file: 'data/*.csv' });
    expect(await refusal(load(config, space.folder))).toMatch(/^empty-label: data\/b\.csv:22: the label is empty/);
    const [problem] = await check(config, space.folder);
    expect([problem?.path, problem?.message]).toEqual([['file'], expect.stringMatching(/^data\/b\.csv:22: /)]);
  });

  it('of other columns are refused with both names', async () => {
    using space = workspace();
    threeFiles(space);
    space.write('data/b.csv', `text,label,date\n${rows(100, 100).replaceAll('\n', ',x\n')}`);
    const message =
      "data/b.csv has 'date', which data/a.csv lacks; files of one 'file' need the same columns: correct or remove one of them";
    const config = configOf({ file: 'data/*.csv' });
    expect(await refusal(load(config, space.folder))).toBe(`other-columns: ${message}`);
    expect(await check(config, space.folder)).toEqual([{ code: 'other-columns', path: ['file'], message }]);
    space.write('data/b.csv', `label,text\n${rows(100, 100).replace(/(.*),(.*)\n/g, '$2,$1\n')}`);
    expect(await refusal(load(config, space.folder))).toBe('nothing');
  });

  it('that lack a column that is needed are told beside the one that has it', async () => {
    using space = workspace();
    threeFiles(space);
    space.write('data/b.csv', `text,verdict\n${rows(100, 100)}`);
    const config = configOf({ file: 'data/*.csv' });
    expect(await refusal(load(config, space.folder))).toMatch(
      /^other-columns: data\/b\.csv lacks 'label', which data\/a\.csv has, and has 'verdict', which data\/a\.csv lacks;/,
    );
  });

  it('are named by the first three where many are wrong', async () => {
    using space = workspace();
    for (let i = 10; i < 30; i++) space.write(`data/${i}.csv`, '');
    const problems = await check(configOf({ file: 'data/*.csv' }), space.folder);
    expect(problems.map(({ message }) => message.split(' ')[0])).toEqual(['data/10.csv', 'data/11.csv', 'data/12.csv']);
  });

  it('of JSON may have keys of their own', async () => {
    using space = workspace();
    const line = (i: number, more: object) => `${JSON.stringify({ text: `t ${i}`, label: `c${i % 2}`, ...more })}\n`;
    space.write('a.jsonl', Array.from({ length: 90 }, (_, i) => line(i, {})).join(''));
    space.write('b.jsonl', Array.from({ length: 90 }, (_, i) => line(i + 90, { note: 'x' })).join(''));
    const config = dataSchema.parse({ uses: 'jsonl', file: '*.jsonl' });
    expect(await check(config, space.folder)).toEqual([]);
    expect(textsOf((await load(config, space.folder)).dataset).length).toBe(180);
  });

  it('are refused where nothing matches, and where one is trained on and judged by', async () => {
    using space = workspace();
    threeFiles(space);
    const none = configOf({ train: 'data/*.tsv', test: 'data/a.csv' });
    const message = `no file matches data/*.tsv (looked from ${space.folder}); correct the pattern`;
    expect(await check(none, space.folder)).toEqual([{ code: 'no-match', path: ['train'], message }]);
    const twice = configOf({ train: 'data/*.csv', test: 'data/a.csv' });
    expect(await check(twice, space.folder)).toEqual([
      {
        code: 'read-twice',
        path: ['train'],
        message:
          "data/a.csv is read for 'test' and for 'train': what is trained on cannot be judged by; name it once, or leave it out of a pattern: [..., '!data/a.csv']",
      },
    ]);
    expect(await refusal(sources(twice, space.folder))).toMatch(/^read-twice: /);
    const mended = configOf({ train: ['data/**/*.csv', '!data/a.csv'], test: 'data/a.csv' });
    expect(await check(mended, space.folder)).toEqual([]);
    const all = configOf({ file: ['data/*.csv', '!data/*.csv'] });
    expect(await refusal(load(all, space.folder))).toMatch(/^no-match: no file matches data\/\*\.csv, !data\/\*\.csv/);
  });

  it('are found by their names where these look like patterns, and once where links lead to them', async () => {
    using space = workspace();
    space.write('a [1].csv', table(120));
    expect(await refusal(load(configOf({ file: 'a [1].csv' }), space.folder))).toBe('nothing');
    symlinkSync(space.path('a [1].csv'), space.path('b.csv'));
    expect((await load(configOf({ file: '*.csv' }), space.folder)).duplicates).toBe(0);
  });
});

describe('a folder a class', () => {
  const write = (space: Workspace, folder: string, count = 120): void => {
    for (let i = 0; i < count; i++) {
      space.write(
        `${folder}/${i % 3 === 0 ? 'bad' : 'good'}/${i % 5}/${i}.txt`,
        `text number ${folder} ${i}\r\nmore\n`,
      );
    }
  };
  const folderOf = (options: Options) => dataSchema.parse({ uses: 'folder', ...options });

  it('is read with the folders as classes, at any depth', async () => {
    using space = workspace();
    write(space, 'reviews');
    space.write('reviews/README.md', 'about');
    space.write('reviews/.hidden/x.txt', 'no text');
    const config = folderOf({ folder: 'reviews' });
    expect(await check(config, space.folder)).toEqual([]);
    expect(await sources(config, space.folder)).toEqual([space.path('reviews')]);
    expect(await look(config, space.folder)).toMatchObject({ classes: ['bad', 'good'], whole: true });
    const { dataset, remarks } = await load(config, space.folder);
    expect(dataset.classes).toEqual(['bad', 'good']);
    const texts = [...dataset.train, ...dataset.validation, ...dataset.test];
    expect(texts.length).toBe(120);
    expect(
      texts.filter(({ text, target }) => target !== (Number(/ (\d+)\n/.exec(text)?.[1]) % 3 === 0 ? 0 : 1)),
    ).toEqual([]);
    expect(remarks).toEqual(["1 file of reviews does not end in .txt and is left out: 'README.md'"]);
  });

  it('needs no folders where texts alone are read, and takes none for a split', async () => {
    using space = workspace();
    for (let i = 0; i < 60; i++) space.write(i % 2 === 0 ? `flat/${i}.txt` : `flat/train/${i}.txt`, `text number ${i}`);
    const { dataset, remarks } = await load(folderOf({ folder: 'flat', task: 'features' }), space.folder);
    expect([textsOf(dataset).length, remarks]).toEqual([60, []]);
  });

  it('may be one of each split, with more texts without classes', async () => {
    using space = workspace();
    write(space, 'train');
    write(space, 'test', 30);
    space.write('more/1.txt', 'one more');
    space.write('more/deep/2.txt', 'another');
    const config = folderOf({ train: 'train', test: ['test'], unlabelled: 'more' });
    const { dataset } = await load(config, space.folder);
    expect([dataset.test.length, dataset.train.length + dataset.validation.length]).toEqual([30, 120]);
    expect(dataset.unlabelled.map(({ text }) => text)).toEqual(['one more', 'another']);
  });

  it.each([
    [
      'a text outside of all classes',
      { 'r/note.txt': 'x' },
      {},
      'stray-text: r/note.txt lies in no folder of a class; expected r/CLASS/note.txt: move or remove it',
    ],
    [
      'a class without texts',
      { 'r/neutral/1.doc': 'x' },
      {},
      "no-texts: r/neutral has no .txt file, but 'neutral/1.doc'; expected one text a .txt file",
    ],
    [
      'an empty text',
      { 'r/good/e.txt': ' \n' },
      {},
      'empty-text: r/good/e.txt: the text is empty; fill it in or remove the row',
    ],
    ['no folder', {}, { folder: 'none' }, 'missing-file: the file none does not exist'],
    [
      'a file',
      { 'f.csv': 'x' },
      { folder: 'f.csv' },
      'no-folder: f.csv is a file; expected a folder with one folder a class; for a table, write uses: csv',
    ],
  ])('with %s is refused, with its name', async (_, files, options, expected) => {
    using space = workspace();
    write(space, 'r');
    for (const [name, text] of Object.entries(files)) space.write(name, String(text));
    const config = folderOf({ folder: 'r', ...options });
    expect(await refusal(load(config, space.folder))).toContain(expected);
    expect((await check(config, space.folder)).map(({ path }) => path)).toEqual([['folder']]);
  });

  it('is named by its own key in messages about options', () => {
    const problems = dataSchema.safeParse({ uses: 'folder', folder: 'a', train: 'b' });
    expect(problems.error?.issues.map(({ path, message }) => [path, message])).toEqual([
      [['train'], "expected either 'folder' or 'train', not both"],
    ]);
    expect(dataSchema.safeParse({ uses: 'folder' }).error?.issues.map(({ message }) => message)).toEqual([
      "expected 'folder' or 'train': where the texts are",
    ]);
  });
});
