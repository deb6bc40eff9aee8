import { basename } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Dataset, Example } from '../../data/dataset.ts';
import { check, type DataConfig, dataSchema, datasets, load, sources } from '../../data/datasets/index.ts';
import { readDataset, writeDataset } from '../../data/files.ts';
import { targetKindOf } from '../../data/targets/index.ts';
import { dataTask } from '../../ground/tasks.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';
import { smallPackages } from './small-packages.ts';

const rows = Array.from({ length: 600 }, (_, i) => ({ text: `text number ${i}`, label: `class ${i % 4}` }));

/** Writes what each kind of the user's own files reads. */
const ownFiles: Readonly<Record<string, (space: Workspace) => void>> = {
  csv: (space) => {
    space.write('data.csv', `text,label\n${rows.map(({ text, label }) => `${text},${label}\n`).join('')}`);
  },
  jsonl: (space) => {
    space.write('data.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  },
  conll: (space) => {
    const lines = rows.map(({ text, label }) =>
      text
        .split(' ')
        .map((word) => `${word}\tB-${label}\n`)
        .join(''),
    );
    space.write('data.conll', lines.join('\n'));
  },
  parquet: (space) => {
    const columnData = (['text', 'label'] as const).map((name) => ({ name, data: rows.map((row) => row[name]) }));
    space.write('data.parquet', new Uint8Array(parquetWriteBuffer({ columnData })));
  },
  folder: (space) => {
    for (const [i, { text, label }] of rows.entries()) space.write(`data.folder/${label}/${i}.txt`, text);
  },
};

const splits = ['train', 'unlabelled', 'validation', 'test'] as const;

const keyOf = ({ text, pair }: Example): string => JSON.stringify([text, pair]);

/** Split and id of each example. */
const placesOf = (dataset: Dataset): ReadonlyMap<string, string> =>
  new Map(splits.flatMap((split) => dataset[split].map((example) => [keyOf(example), `${split} ${example.id}`])));

/** Class indices of an example, by what its dataset is for. */
const targetsOf = ({ target = [] }: Example): readonly number[] => [target].flat();

describe.each(datasets)('dataset $uses', ({ uses }) => {
  const space = workspace();
  const configOf = (options: object = {}): DataConfig =>
    dataSchema.parse({
      uses,
      ...(uses in ownFiles ? { [uses === 'folder' ? uses : 'file']: `data.${uses}` } : {}),
      ...options,
    });
  const loaded = async (options: object = {}): Promise<Dataset> =>
    (await load(configOf(options), space.folder)).dataset;
  let all: Dataset;
  beforeAll(async () => {
    const prepare = ownFiles[uses] ?? smallPackages[uses];
    if (prepare === undefined) throw new Error(`say in this test what the dataset ${uses} reads`);
    prepare(space);
    all = await loaded();
  });
  afterAll(() => space[Symbol.dispose]());

  it('has every text once, with an id of its own, and none but whole texts', () => {
    const examples = splits.flatMap((split) => all[split]);
    expect(placesOf(all).size).toBe(examples.length);
    expect(new Set(examples.map(({ id }) => id)).size).toBe(examples.length);
    expect(examples.filter(({ text }) => text === '' || text !== text.trim())).toEqual([]);
    for (const split of ['train', 'validation', 'test'] as const) expect(all[split].length).toBeGreaterThan(5);
  });

  it('has targets for its task, all of them classes', () => {
    const labelled = [...all.train, ...all.validation, ...all.test];
    const { about } = targetKindOf(all.task);
    const words = ({ text }: Example) => (about === 'nothing' ? 0 : about === 'word' ? text.split(' ').length : 1);
    const isWhole = (example: Example): boolean =>
      dataTask(all.task).answer === 'set'
        ? new Set(targetsOf(example)).size === targetsOf(example).length
        : targetsOf(example).length === words(example);
    expect(labelled.filter((example) => !isWhole(example))).toEqual([]);
    const isNumber = dataTask(all.task).answer === 'number';
    const known = (target: number) => (isNumber ? Number.isFinite(target) : all.classes[target] !== undefined);
    expect(labelled.filter((example) => !targetsOf(example).every(known))).toEqual([]);
    expect(new Set(all.classes).size).toBe(all.classes.length);
  });

  it('is the same when it is read again, from its files and from what was written', async () => {
    expect(await loaded()).toEqual(all);
    await writeDataset(space.folder, all);
    expect(await readDataset(space.folder)).toEqual(all);
  });

  it('keeps places and ids under a limit', async () => {
    const limited = placesOf(await loaded({ limit: 100 }));
    const places = placesOf(all);
    expect(limited.size).toBe(100);
    for (const [text, place] of limited) expect(places.get(text)).toBe(place);
  });

  it('keeps as many labels as asked, and the other texts without', async () => {
    const few = await loaded({ labelled: 20 });
    expect(few.train.length).toBe(20);
    expect(few.unlabelled.length).toBe(all.train.length - 20);
    expect(few.unlabelled.filter((example) => 'target' in example)).toEqual([]);
  });

  it.skipIf(uses === 'mnist')('gives its texts alone for a task that needs no labels, in the same places', async () => {
    const kind = datasets.find((one) => one.uses === uses);
    const config = dataSchema.safeParse({ ...configOf(), task: 'fill-mask' });
    if (!config.success || kind === undefined) throw new Error(`${uses} takes no task`);
    expect(kind.task(config.data)).toBe('fill-mask');
    expect(await kind.look(config.data, space.folder)).toMatchObject({ task: 'fill-mask', classes: [] });
    const { dataset } = await load(config.data, space.folder);
    expect({ task: dataset.task, classes: dataset.classes }).toEqual({ task: 'fill-mask', classes: [] });
    expect(dataset.train.filter((example) => 'target' in example)).toEqual([]);
    // Files of the user's are split class by class.
    if (!(uses in ownFiles)) expect(placesOf(dataset)).toEqual(placesOf(all));
  });

  it.skipIf(uses === 'mnist')('takes more texts from a file of any format', async () => {
    const texts = ['one more text', 'and another'];
    const columns = all.train[0]?.pair === undefined ? ['text'] : ['text', 'pair'];
    const columnData = columns.map((name) => ({ name, data: texts }));
    const lines = texts.map((text) => JSON.stringify(Object.fromEntries(columns.map((name) => [name, text]))));
    const rowsOfText = texts.map((text) => columns.map(() => text).join(','));
    const files = [
      space.write('more.csv', `${[columns.join(','), ...rowsOfText].join('\n')}\n`),
      space.write('more.jsonl', `${lines.join('\n')}\n`),
      space.write('more.parquet', new Uint8Array(parquetWriteBuffer({ columnData }))),
    ];
    const configs = files.map((file) => configOf({ unlabelled: basename(file) }));
    for (const [i, config] of configs.entries()) {
      expect(await check(config, space.folder)).toEqual([]);
      expect(await sources(config, space.folder)).toContain(files[i]);
    }
    // Which of them is read makes no difference to the labelled texts, which take their time.
    const config = configs[datasets.findIndex((kind) => kind.uses === uses) % configs.length];
    const { dataset } = await load(config ?? configOf(), space.folder);
    const [, second] = columns;
    expect(dataset.unlabelled.map(({ text, pair }) => [text, pair])).toEqual(
      texts.map((text) => [text, second === undefined ? undefined : text]),
    );
    expect(dataset.train.length).toBe(all.train.length);
  });

  it.skipIf(uses === 'mnist')('names what is missing before anything runs', async () => {
    const [problem, ...others] = await check(configOf({ unlabelled: 'none.csv' }), space.folder);
    expect([problem?.code, problem?.path, others]).toEqual(['missing-file', ['unlabelled'], []]);
    expect(problem?.message).toMatch(/^the file none\.csv does not exist/);
  });
});
