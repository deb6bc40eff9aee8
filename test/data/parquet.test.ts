import { brotliCompressSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { type Dataset, labelOf } from '../../data/dataset.ts';
import { check, dataSchema, load } from '../../data/datasets/index.ts';
import { isUserError } from '../../ground/errors.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';
import { root } from './corpus.ts';

type WriteOptions = Omit<Parameters<typeof parquetWriteBuffer>[0], 'columnData'>;

const bytesOf = (columns: Readonly<Record<string, readonly unknown[]>>, options: WriteOptions = {}): Uint8Array =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: Object.entries(columns).map(([name, data]) => ({ name, data: [...data], nullable: true })),
      ...options,
    }),
  );

const counted = <T>(count: number, make: (i: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, i) => make(i));

const texts = counted(300, (i) => `text number ${i}`);
const words = counted(300, (i) => (i % 3 === 0 ? 'no' : 'yes'));
const numbers = counted(300, (i) => (i % 3 === 0 ? 1 : 0));

const loaded = async (space: Workspace, bytes: Uint8Array, options: object = {}): Promise<Dataset> => {
  space.write('data.parquet', bytes);
  const config = dataSchema.parse({ uses: 'parquet', file: 'data.parquet', ...options });
  return (await load(config, space.folder)).dataset;
};

const complaint = async (space: Workspace, bytes: Uint8Array, options: object = {}): Promise<string> => {
  try {
    await loaded(space, bytes, options);
  } catch (error) {
    if (isUserError(error, 'data')) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing';
};

/** Class name of every labelled text. */
const labelsOf = ({ classes, train, validation, test }: Dataset): ReadonlyMap<string, string | undefined> =>
  new Map([...train, ...validation, ...test].map((example) => [example.text, classes[labelOf(example)]]));

/** What the datasets library writes beside its columns. */
const declaring = (names: readonly string[]): WriteOptions => {
  const features = { text: { dtype: 'string', _type: 'Value' }, label: { names, _type: 'ClassLabel' } };
  return { kvMetadata: [{ key: 'huggingface', value: JSON.stringify({ info: { features } }) }] };
};

describe('a parquet file', () => {
  it('is read as the same rows in JSON Lines are', async () => {
    using space = workspace();
    space.write('data.jsonl', texts.map((text, i) => `${JSON.stringify({ text, label: words[i] })}\n`).join(''));
    const config = dataSchema.parse({ uses: 'jsonl', file: 'data.jsonl' });
    expect(await loaded(space, bytesOf({ text: texts, label: words }))).toEqual(
      (await load(config, space.folder)).dataset,
    );
    expect(await check(dataSchema.parse({ uses: 'parquet', file: 'data.parquet' }), space.folder)).toEqual([]);
  });

  it.each([
    ['SNAPPY', undefined],
    ['UNCOMPRESSED', undefined],
    ['GZIP', gzipSync],
    ['BROTLI', brotliCompressSync],
  ] as const)('is read in row groups and with %s', async (codec, compress) => {
    using space = workspace();
    const compressors =
      compress === undefined ? {} : { [codec]: (input: Uint8Array) => new Uint8Array(compress(input)) };
    const bytes = bytesOf({ other: numbers, label: words, text: texts }, { codec, compressors, rowGroupSize: 70 });
    const labels = labelsOf(await loaded(space, bytes));
    expect(labels).toEqual(new Map(counted(300, (i) => [`text number ${i}`, i % 3 === 0 ? 'no' : 'yes'] as const)));
  });

  it.each([
    ['integers', counted(300, (i) => i % 11), ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10']],
    ['large integers', counted(300, (i) => BigInt(i % 2)), ['0', '1']],
    ['truth values', counted(300, (i) => i % 2 === 0), ['false', 'true']],
    ['texts of numbers', counted(300, (i) => ['01', '1'][i % 2] ?? ''), ['01', '1']],
  ])('keeps labels that are %s', async (_, label, classes) => {
    using space = workspace();
    expect((await loaded(space, bytesOf({ text: texts, label }))).classes).toEqual(classes);
  });

  it('takes class names that are declared beside it, in their order', async () => {
    using space = workspace();
    const bytes = bytesOf({ text: texts, label: numbers }, declaring(['positive', 'negative', 'unused']));
    const dataset = await loaded(space, bytes);
    expect(dataset.classes).toEqual(['positive', 'negative', 'unused']);
    expect(labelsOf(dataset).get('text number 3')).toBe('negative');
    expect(labelsOf(dataset).get('text number 4')).toBe('positive');
  });

  it('of the Python libraries is read: dictionary pages, zstd, declared classes', async () => {
    const config = { uses: 'parquet', file: 'reviews.parquet', text: ['premise', 'hypothesis'], label: 'label' };
    const { dataset } = await load(dataSchema.parse(config), `${root}/test/golden`);
    const all = [...dataset.train, ...dataset.validation, ...dataset.test].toSorted((a, b) => a.id - b.id);
    expect(dataset.classes).toEqual(['entailment', 'neutral', 'contradiction']);
    expect(all.length).toBe(200);
    expect(all[5]).toEqual({ id: 5, text: 'Premise 5: naïve café', pair: 'Hypothesis 5', target: 2 });
  });

  it('gives texts without labels for features and for distillation', async () => {
    using space = workspace();
    const features = await loaded(space, bytesOf({ text: texts }), { task: 'features' });
    expect([features.task, features.classes]).toEqual(['features', []]);
    space.write('more.parquet', bytesOf({ text: counted(20, (i) => `more ${i}`) }));
    space.write('rows.csv', `text,label\n${texts.map((text, i) => `${text},${words[i]}\n`).join('')}`);
    const config = dataSchema.parse({ uses: 'csv', file: 'rows.csv', unlabelled: 'more.parquet' });
    expect((await load(config, space.folder)).dataset.unlabelled.length).toBe(20);
  });
});

describe('a missing label in Parquet', () => {
  it.each([
    ['a number that is none', counted(300, (i) => (i === 7 ? Number.NaN : i % 2)), ['0', '1']],
    ['null', counted(300, (i) => (i === 7 ? null : `c${i % 2}`)), ['c0', 'c1']],
    ['a word for it', counted(300, (i) => (i === 7 ? 'None' : `c${i % 2}`)), ['c0', 'c1']],
  ])('that is %s is refused with its row, or dropped, and is never a class', async (_, label, classes) => {
    using space = workspace();
    const bytes = bytesOf({ text: texts, label });
    expect(await complaint(space, bytes)).toMatch(/^empty-label: data\.parquet, row 8: the label is (?:empty|'None')/);
    const dataset = await loaded(space, bytes, { missing: 'drop' });
    expect(dataset.classes).toEqual(classes);
    expect(dataset.train.length + dataset.validation.length + dataset.test.length).toBe(299);
  });
});

describe('a parquet file that is wrong', () => {
  const good = bytesOf({ text: texts.slice(0, 40), label: words.slice(0, 40) });
  const changed = (at: number, value: number): Uint8Array => good.map((byte, i) => (i === at ? value : byte));

  it.each<readonly [string, Uint8Array, object, string]>([
    ['another format', Buffer.from(`text,label\n${'a,b\n'.repeat(9)}`), {}, 'it does not begin with PAR1'],
    ['nothing', new Uint8Array(), {}, 'it has 0 bytes'],
    ['no end', good.slice(0, -3), {}, 'it does not end with PAR1: it was cut'],
    ['a footer longer than the file', changed(good.length - 6, 0xff), {}, 'parquet metadata length'],
  ])('having %s is refused', async (_, bytes, options, reason) => {
    using space = workspace();
    const message = await complaint(space, bytes, options);
    expect(message).toContain(`broken-parquet: data.parquet cannot be read as Parquet: ${reason}`);
    const [problem, ...more] = await check(dataSchema.parse({ uses: 'parquet', file: 'data.parquet' }), space.folder);
    expect([`${problem?.code}: ${problem?.message}`, problem?.path, more]).toEqual([message, ['file'], []]);
  });

  it('cut anywhere is refused', async () => {
    using space = workspace();
    for (let length = 0; length < good.length; length += 7) {
      expect(await complaint(space, good.slice(0, length))).toMatch(/^broken-parquet: /);
    }
  });

  it('damaged anywhere is read or refused, and never takes long', async () => {
    using space = workspace();
    const damage = fc.record({ at: fc.nat(good.length - 1), value: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(damage, async ({ at, value }) => {
        const message = await complaint(space, changed(at, value));
        expect(message).toMatch(/^(?:nothing$|[a-z-]+: )/);
      }),
      { numRuns: 300 },
    );
  });

  it('that has other columns is refused by its footer alone', async () => {
    using space = workspace();
    space.write('data.parquet', bytesOf({ txet: texts, verdict: words }));
    const problems = async (options: object) =>
      check(dataSchema.parse({ uses: 'parquet', file: 'data.parquet', ...options }), space.folder);
    expect(await problems({ text: ['txet', 'verdit'], label: 'verdict' })).toEqual([
      {
        code: 'missing-column',
        path: ['text'],
        message: "data.parquet: there is no column 'verdit'; did you mean 'verdict'?",
      },
    ]);
    expect(await complaint(space, bytesOf({ txet: texts, verdict: words }))).toBe(
      "missing-column: data.parquet: there is no column 'text'; did you mean 'txet'?",
    );
  });

  it.each([
    [{ text: numbers, label: words }, {}, "wrong-type: data.parquet, row 1: 'text' is a number; expected a text"],
    [
      { text: texts, label: [...numbers.slice(0, 150), null, null, ...numbers.slice(152)] },
      {},
      "empty-label: data.parquet, row 151: the label is empty (and 1 more row); fill it in, leave such rows out with missing: drop, or move texts without labels to a file of their own and name it under 'unlabelled'",
    ],
    [
      { text: texts, label: [-1, ...numbers.slice(1)] },
      declaring(['a', 'b']),
      "empty-label: data.parquet, row 1: the label is empty; fill it in, leave such rows out with missing: drop, or move texts without labels to a file of their own and name it under 'unlabelled'",
    ],
    [
      { text: texts, label: [7, ...numbers.slice(1)] },
      declaring(['a', 'b']),
      "wrong-type: data.parquet, row 1: 'label' is 7; expected a class number below 2",
    ],
    [{ text: [], label: [] }, {}, 'empty-file: data.parquet has no rows; expected one text a row'],
  ])('in its values is refused with its row (%#)', async (columns, options, expected) => {
    using space = workspace();
    expect(await complaint(space, bytesOf(columns, options))).toBe(expected);
  });
});
