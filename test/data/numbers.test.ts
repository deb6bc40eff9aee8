import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, describe, expect, it } from 'vitest';
import { dataSchema, load } from '../../data/datasets/index.ts';
import { sniff } from '../../data/datasets/sniff.ts';
import { isUserError } from '../../ground/errors.ts';
import { root } from '../rig/build.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
afterAll(() => space[Symbol.dispose]());

const lines = (count: number, row: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => `${row(i)}\n`).join('');

const ordinary = lines(300, (i) => `text number ${i},${i % 5}.5`);

const read = async (content: string | Uint8Array, name = 'data.csv', options: object = {}) => {
  space.write(name, content);
  const uses = name.slice(name.indexOf('.') + 1);
  return load(dataSchema.parse({ uses, file: name, task: 'score', label: 'score', ...options }), space.folder);
};

const complaint = async (...given: Parameters<typeof read>): Promise<string> => {
  try {
    await read(...given);
  } catch (error) {
    if (isUserError(error, 'data')) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing';
};

const withValue = (value: string): string => `text,score\n${ordinary}one more,"${value}"\n`;

const refused: readonly (readonly [found: string, advice: string])[] = [
  ['1,5', `write a point before the decimals: 1.5; or, where the comma does in all rows, decimal: ','`],
  ['-12,75', `write a point before the decimals: -12.75; or, where the comma does in all rows, decimal: ','`],
  ['1,234', 'write 1.234, or 1234 where the comma parts thousands'],
  ["1'234.5", 'write it without marks between thousands: 1234.5'],
  ['1,234.5', 'write it without marks between thousands: 1234.5'],
  ['12 345 678', 'write it without marks between thousands: 12345678'],
  ['50 %', 'write the number alone: 50'],
  ['2-3', 'that is a range: write one number, such as its middle'],
  ['2.5 – 3', 'that is a range: write one number, such as its middle'],
  ['4 to 5', 'that is a range: write one number, such as its middle'],
  ['four', "expected a number, such as 3.5; where the column holds classes, leave 'task' out"],
  ['4 stars', "expected a number, such as 3.5; where the column holds classes, leave 'task' out"],
  ['0x10', "expected a number, such as 3.5; where the column holds classes, leave 'task' out"],
  ['1e', "expected a number, such as 3.5; where the column holds classes, leave 'task' out"],
  ['Infinity', "expected a number, such as 3.5; where the column holds classes, leave 'task' out"],
  ['3/5', "expected a number, such as 3.5; where the column holds classes, leave 'task' out"],
  ['1e39', 'expected a number that a float holds (up to 3.4e38): divide the column by a constant'],
];

describe('a number in a table', () => {
  it.each(refused)('%s is refused, with its row and the way out', async (found, advice) => {
    expect(await complaint(withValue(found))).toBe(
      `no-number: data.csv:302: ${JSON.stringify(found)} in column 'score' is no number; ${advice}`,
    );
  });

  it.each([
    ['3', 3],
    [' -2.25 ', -2.25],
    ['+.5', 0.5],
    ['7.', 7],
    ['1.5E-3', 0.0015],
    ['0', 0],
  ])('%j is read', async (text, number) => {
    const { dataset } = await read(withValue(text));
    const all = [...dataset.train, ...dataset.validation, ...dataset.test];
    expect(all.find((example) => example.text === 'one more')?.target).toBe(number);
    expect(dataset).toMatchObject({ task: 'score', classes: [] });
  });

  it.each([
    ['', 'empty'],
    ['NaN', "'NaN', which stands for a missing one"],
    ['n/a', "'n/a', which stands for a missing one"],
  ])('that is missing (%j) is told by its row, or dropped', async (value, is) => {
    expect(await complaint(withValue(value))).toBe(
      `empty-label: data.csv:302: the number is ${is}; fill it in, leave such rows out with missing: drop, or move texts without one to a file of their own and name it under 'unlabelled'`,
    );
    expect(await read(withValue(value), 'data.csv', { missing: 'drop' })).toMatchObject({ dropped: 1 });
  });

  it('is one in JSON Lines and Parquet, as a number of any kind or as a text', async () => {
    const row = (i: number) => ({ text: `text ${i}`, score: i % 2 ? `${i % 7}.5` : i % 7 });
    const jsonl = await read(
      lines(200, (i) => JSON.stringify(row(i))),
      'data.jsonl',
    );
    expect(jsonl.dataset.train.every(({ target }) => typeof target === 'number')).toBe(true);
    const whole = Array.from({ length: 200 }, (_, i) => BigInt(i % 9));
    const columnData = [
      { name: 'text', data: whole.map((_, i) => `text ${i}`) },
      { name: 'score', data: whole, type: 'INT64' as const },
    ];
    const parquet = await read(new Uint8Array(parquetWriteBuffer({ columnData })), 'data.parquet');
    expect(new Set(parquet.dataset.train.map(({ target }) => target)).size).toBe(9);
  });

  it.each([
    ['true', 'no-number: data.jsonl:201: "true" in column \'score\' is no number; expected a number, such as 3.5'],
    ['[1]', "wrong-type: data.jsonl:201: 'score' is a list; expected a text"],
    ['null', 'empty-label: data.jsonl:201: the number is empty'],
  ])('is not %s', async (value, message) => {
    const content = `${lines(200, (i) => `{"text":"t ${i}","score":${i % 7}.5}`)}{"text":"last","score":${value}}\n`;
    expect(await complaint(content, 'data.jsonl')).toContain(message);
  });
});

describe('numbers that teach nothing', () => {
  it('are all the same', async () => {
    expect(await complaint(`text,score\n${lines(200, (i) => `text ${i},4.5`)}`)).toBe(
      "one-number: data.csv: every training text has the number 4.5: there is nothing to learn; check that 'label' names the right column",
    );
  });

  it('lie closer together than a float of their size can tell', async () => {
    const seconds = lines(200, (i) => `text ${i},${1_700_000_000 + (i % 50)}`);
    expect(await complaint(`text,score\n${seconds}`)).toMatch(
      /^close-numbers: data\.csv: the numbers lie within 1\d of 17000000\d\d(?:\.\d+)?, closer together than a float of that size can tell; subtract a constant from the column, such as 17000000\d\d$/,
    );
    const hours = lines(200, (i) => `text ${i},${1_700_000_000 + 3600 * 24 * i}`);
    expect(await complaint(`text,score\n${hours}`)).toBe('nothing');
  });
});

describe('a column of numbers', () => {
  const guess = (header: string, row: (i: number) => string) =>
    sniff(space.write('guess.csv', `${header}\n${lines(120, row)}`));

  it.each([
    ['fractions in a column of any name', 'text,y', (i: number) => `words of text ${i},${(i * 7) % 13}.25`, 'y'],
    ['fractions called a label', 'text,label', (i: number) => `words of text ${i},${(i % 11) / 10}`, 'label'],
    ['a similarity of pairs', 'sentence1,sentence2,similarity', (i: number) => `a b ${i},c d,${i / 120}`, 'similarity'],
    ['many whole ones that are called so', 'text,score', (i: number) => `words of text ${i},${(i * 7) % 97}`, 'score'],
    ['beside classes, if it is called so', 'text,genre,rating', (i: number) => `words ${i},${i % 3},${i}.5`, 'rating'],
    ['decimal commas, which are refused by name then', 'text;score', (i: number) => `words ${i};${i % 9},5`, 'score'],
  ])('is recognised: %s', async (_, header, row, column) => {
    const { label, numbers } = await guess(header, row);
    expect([label, numbers?.includes(column)]).toEqual([column, true]);
  });

  it.each([
    ['grades', 'text,rating', (i: number) => `words of text ${i},${1 + (i % 5)}`, 'rating'],
    ['0 and 1', 'text,label', (i: number) => `words of text ${i},${i % 2}`, 'label'],
    ['0.0 and 1.0', 'text,label', (i: number) => `words of text ${i},${i % 2}.0`, 'label'],
    [
      'classes beside some price',
      'text,label,price',
      (i: number) => `words ${i},${i % 3 ? 'a' : 'b'},${i}.99`,
      'label',
    ],
  ])('is none: %s', async (_, header, row, column) => {
    const { label, classes } = await guess(header, row);
    expect(label).toBe(column);
    expect(classes.length).toBeGreaterThan(1);
  });

  it('is no number of rows', async () => {
    const { label } = await guess('id,text', (i) => `${i},words of text ${i}`);
    expect(label).toBeUndefined();
  });
});

describe('the similarity of WordNet definitions', () => {
  it('has no definition in two splits, and numbers of every size', async () => {
    const { dataset } = await load(dataSchema.parse({ uses: 'wordnet-similarity' }), root);
    const definitions = (['train', 'validation', 'test'] as const).map(
      (split) => new Set(dataset[split].flatMap(({ text, pair = '' }) => [text, pair])),
    );
    const all = new Set(definitions.flatMap((some) => [...some]));
    expect(all.size).toBeGreaterThan(70_000);
    expect(definitions.reduce((sum, { size }) => sum + size, 0)).toBe(all.size);
    const numbers = dataset.test.map(({ target }) => Number(target));
    const tenths = Array.from({ length: 10 }, (_, i) => numbers.filter((x) => Math.min(9, Math.floor(10 * x)) === i));
    for (const some of tenths) expect(some.length).toBeGreaterThan(numbers.length / 100);
    expect([dataset.train.length, dataset.validation.length, dataset.test.length]).toEqual([62030, 3183, 6744]);
    // The Strait of Hormuz beside the Solent: two straits.
    const pair = dataset.test.find(({ text }) => text.startsWith('a strategically important strait'));
    expect(pair).toMatchObject({ pair: expect.stringMatching(/^a strait of the English Channel/) });
  });
});
