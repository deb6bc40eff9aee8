import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { type DataConfig, dataSchema, load } from '../../data/datasets/index.ts';
import { sniff } from '../../data/datasets/sniff.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

const ROWS = 300;
const CLASSES = ['food', 'sport', 'travel'];

/** Every set of the three classes, the empty one among them. */
const setOf = (i: number): readonly string[] => CLASSES.filter((_, c) => ((i % 8) >> c) & 1);

const rows = (row: (i: number) => string): string => Array.from({ length: ROWS }, (_, i) => row(i)).join('');

const csvCell = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/** A text, and a list of texts or numbers, as pyarrow writes them. */
const listSchema = (numbers: boolean): NonNullable<Parameters<typeof parquetWriteBuffer>[0]['schema']> => [
  { name: 'root', num_children: 2 },
  { name: 'text', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
  { name: 'labels', converted_type: 'LIST', num_children: 1, repetition_type: 'OPTIONAL' },
  { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
  numbers
    ? { name: 'element', type: 'INT32', repetition_type: 'OPTIONAL' }
    : { name: 'element', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
];

const parquet = (
  data: readonly unknown[],
  metadata: readonly { readonly key: string; readonly value: string }[] = [],
) =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'text', data: Array.from({ length: ROWS }, (_, i) => `text number ${i}`) },
        { name: 'labels', data: [...data] },
      ],
      schema: listSchema(data.flat().some((one) => typeof one === 'number')),
      kvMetadata: [...metadata],
    }),
  );

const lists = Array.from({ length: ROWS }, (_, i) => setOf(i));

interface Options {
  readonly uses: string;
  readonly label: string | readonly string[];
  readonly separator?: string;
}

/** The same sets as users write them: a file, and what has to be said of it. */
const writings: Readonly<Record<string, readonly [file: string, content: string | Uint8Array, options: Options]>> = {
  'lists in JSON Lines': [
    'a.jsonl',
    rows((i) => `${JSON.stringify({ text: `text number ${i}`, labels: setOf(i).toReversed() })}\n`),
    { uses: 'jsonl', label: 'labels' },
  ],
  'a JSON array in a cell': [
    'b.csv',
    `text,labels\n${rows((i) => `text number ${i},${csvCell(JSON.stringify(setOf(i)))}\n`)}`,
    { uses: 'csv', label: 'labels' },
  ],
  'names with a separator': [
    'c.tsv',
    `text\tlabels\n${rows((i) => `text number ${i}\t${setOf(i).join('; ')}\n`)}`,
    { uses: 'csv', label: 'labels', separator: ';' },
  ],
  'a column a class': [
    'd.csv',
    `text,food,sport,travel\n${rows((i) => `text number ${i},${CLASSES.map((name) => Number(setOf(i).includes(name))).join()}\n`)}`,
    { uses: 'csv', label: CLASSES },
  ],
  'a column of true and false a class': [
    'e.jsonl',
    rows((i) => {
      const flags = Object.fromEntries(CLASSES.map((name) => [name, setOf(i).includes(name)]));
      return `${JSON.stringify({ text: `text number ${i}`, ...flags })}\n`;
    }),
    { uses: 'jsonl', label: CLASSES },
  ],
  'lists in Parquet': ['f.parquet', parquet(lists), { uses: 'parquet', label: 'labels' }],
  'lists of numbers of declared classes': [
    'g.parquet',
    parquet(
      lists.map((names) => names.map((name) => CLASSES.indexOf(name))),
      [
        {
          key: 'huggingface',
          value: JSON.stringify({
            info: { features: { labels: { feature: { names: CLASSES, _type: 'ClassLabel' }, _type: 'List' } } },
          }),
        },
      ],
    ),
    { uses: 'parquet', label: 'labels' },
  ],
};

const configOf = (file: string, options: object): DataConfig =>
  dataSchema.parse({ file, task: 'multi-label', missing: 'refuse', ...options });

const read = async (space: Workspace, [file, content, options]: readonly [string, string | Uint8Array, object]) => {
  space.write(file, content);
  return (await load(configOf(file, options), space.folder)).dataset;
};

describe('several classes a text', () => {
  it.each(Object.entries(writings))('are read from %s', async (_, writing) => {
    using space = workspace();
    const { classes, ...dataset } = await read(space, writing);
    expect(classes).toEqual(CLASSES);
    const all = [...dataset.train, ...dataset.validation, ...dataset.test];
    expect(all.length).toBe(ROWS);
    for (const { text, target } of all) {
      const names = typeof target === 'object' ? target.map((c) => classes[c]) : undefined;
      expect([text, names]).toEqual([text, setOf(Number(text.split(' ')[2]))]);
    }
  });

  it.each(Object.entries(writings).filter(([, [file]]) => file !== 'g.parquet'))(
    'are recognised in %s',
    async (_, [file, content, { label, separator }]) => {
      using space = workspace();
      const guess = await sniff(space.write(file, content));
      expect(guess.text).toBe('text');
      expect(guess.sets?.[0]).toEqual({
        columns: [label].flat(),
        ...(separator === undefined ? {} : { separator }),
        classes: CLASSES,
      });
    },
  );

  it('have their share of every class in every split, under a limit and with few labels, too', async () => {
    using space = workspace();
    const rare = (i: number): readonly string[] => [...setOf(i), ...(i % 60 === 0 ? ['rare'] : [])];
    const content = rows((i) => `${JSON.stringify({ text: `text number ${i}`, labels: rare(i) })}\n`);
    space.write('data.jsonl', content);
    const config = { uses: 'jsonl', label: 'labels' };
    const { dataset } = await load(configOf('data.jsonl', config), space.folder);
    const at = dataset.classes.indexOf('rare');
    for (const split of ['train', 'validation', 'test'] as const) {
      const has = dataset[split].filter(({ target }) => typeof target === 'object' && target.includes(at));
      expect([split, has.length > 0]).toEqual([split, true]);
    }
    const few = await load(configOf('data.jsonl', { ...config, labelled: 50, limit: 200 }), space.folder);
    expect([few.dataset.train.length, few.dataset.unlabelled.some((one) => 'target' in one)]).toEqual([50, false]);
  });

  it('are the same set in any order, and may be none', async () => {
    using space = workspace();
    const twice = `${JSON.stringify({ text: 'text number 3', labels: ['sport', 'food', 'sport'] })}\n`;
    const [, content, options] = writings['lists in JSON Lines'] ?? ['', '', {}];
    space.write('data.jsonl', `${content}${twice}`);
    const { dataset, duplicates, contradictions } = await load(configOf('data.jsonl', options), space.folder);
    expect([duplicates, contradictions]).toEqual([1, 0]);
    expect(dataset.train.some(({ target }) => typeof target === 'object' && target.length === 0)).toBe(true);
  });

  it('stand beside a text of one word in the first line', async () => {
    using space = workspace();
    const content = rows((i) => `${JSON.stringify({ text: `text${i}`, labels: setOf(i + 1) })}\n`);
    const dataset = await read(space, ['data.jsonl', content, { uses: 'jsonl', label: 'labels' }]);
    expect(dataset.classes).toEqual(CLASSES);
  });

  it.each([
    [
      'a name without a separator',
      'x,food;sport',
      { label: 'labels' },
      /data\.csv:3: 'labels' is 'food;sport'; expected a JSON array of classes/,
    ],
    [
      'Python’s own quotes',
      `x,"['food']"`,
      { label: 'labels' },
      /data\.csv:3: 'labels' is '\['food'\]'; expected a JSON array/,
    ],
    [
      'a list that a separator would tear apart',
      `x,"['food','sport']"`,
      { label: 'labels', separator: ',' },
      /data\.csv:3: 'labels' is '\['food','sport'\]'; expected a JSON array/,
    ],
    ['an empty cell without a separator', 'x,', { label: 'labels' }, /data\.csv:3: the label is empty/],
    [
      'a missing value',
      'x,N/A',
      { label: 'labels', separator: ';' },
      /data\.csv:3: the label is 'N\/A', which stands for a missing one/,
    ],
    [
      'a name in a list that stands for a missing one',
      'x,"[""food"",""NaN""]"',
      { label: 'labels' },
      /data\.csv:3: the label is 'NaN', which stands for a missing one/,
    ],
    [
      'a name between separators that stands for a missing one',
      'x,food;None',
      { label: 'labels', separator: ';' },
      /data\.csv:3: the label is 'None', which stands for a missing one/,
    ],
    ['a null in a list', 'x,"[null]"', { label: 'labels' }, /data\.csv:3: 'labels' is a list with null in it/],
    [
      'an empty name in a list',
      'x,"[""""]"',
      { label: 'labels' },
      /data\.csv:3: 'labels' is a list with an empty name in it/,
    ],
    ['a list in a list', 'x,"[[""a""]]"', { label: 'labels' }, /data\.csv:3: 'labels' is a list with a list in it/],
  ])('are refused with their place: %s', async (_, row, options, message) => {
    using space = workspace();
    const separated = 'separator' in options;
    const cell = (i: number): string => (separated ? setOf(i).join(';') : csvCell(JSON.stringify(setOf(i))));
    space.write('data.csv', `text,labels\nfirst,${cell(3)}\n${row}\n${rows((i) => `text ${i},${cell(i)}\n`)}`);
    await expect(load(configOf('data.csv', { uses: 'csv', ...options }), space.folder)).rejects.toThrow(message);
  });

  it('are a list where they are written as one, whatever separator is named', async () => {
    using space = workspace();
    const [file, content] = writings['a JSON array in a cell'] ?? ['', ''];
    const dataset = await read(space, [file, content, { uses: 'csv', label: 'labels', separator: ',' }]);
    expect(dataset.classes).toEqual(CLASSES);
  });

  it('are missed by nobody who has one class a text, and the other way round', async () => {
    using space = workspace();
    space.write(
      'data.jsonl',
      rows((i) => `${JSON.stringify({ text: `text ${i}`, labels: [CLASSES[i % 3]] })}\n`),
    );
    const config = { uses: 'jsonl', label: 'labels' };
    const { remarks } = await load(configOf('data.jsonl', config), space.folder);
    expect(remarks).toEqual([
      "no text has more than one class: check 'separator', or write task: text-classification if each has just one",
    ]);
    await expect(
      load(configOf('data.jsonl', { ...config, task: 'text-classification' }), space.folder),
    ).rejects.toThrow(
      "data.jsonl:1: 'labels' is a list; expected one class a text; where texts have several, write task: multi-label",
    );
  });

  it('are refused where a column of 0 and 1 holds something else', async () => {
    using space = workspace();
    space.write('data.csv', `text,food,sport\na,1,0\nb,1,2\n`);
    const config = configOf('data.csv', { uses: 'csv', label: ['food', 'sport'] });
    await expect(load(config, space.folder)).rejects.toThrow("data.csv:3: 'sport' is '2'; expected 0 or 1");
  });

  it.each([
    [{ label: ['a', 'b'], task: 'text-classification' }, 'label', /expected one column with task: text-classification/],
    [
      { separator: ';', task: 'text-classification' },
      'separator',
      /expected no 'separator' with task: text-classification/,
    ],
    [{ label: ['a', 'b'], separator: ';' }, 'separator', /expected no 'separator' where each class has a column/],
    [{ label: ['a', 'a'] }, 'label', /expected each column once/],
    [{ label: ['a', 'text'] }, 'label', /expected another column than those of the text/],
  ])('are not asked for in two ways: %j', (options, key, message) => {
    const { error } = dataSchema.safeParse({ uses: 'csv', file: 'x.csv', task: 'multi-label', ...options });
    expect(error?.issues.map(({ path }) => path[0])).toContain(key);
    expect(error?.issues.map((issue) => issue.message).join()).toMatch(message);
  });
});
