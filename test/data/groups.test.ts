import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assemble, type Candidate } from '../../data/datasets/assemble.ts';
import { check, dataSchema, load } from '../../data/datasets/index.ts';
import type { Shares } from '../../data/datasets/placement.ts';
import { type Time, timeIn } from '../../data/datasets/time-column.ts';
import { isUserError } from '../../ground/errors.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';
import { refusal } from './refusal.ts';

const splits = ['train', 'unlabelled', 'validation', 'test'] as const;

const options = {
  task: 'text-classification',
  maxLength: 16,
  shares: { validation: 0.1, test: 0.1 },
  source: 'texts.csv',
} as const;

type Options = Readonly<Record<string, unknown>>;

const loaded = (space: Workspace, more: Options) =>
  load(dataSchema.parse({ uses: 'csv', file: 'data.csv', ...more }), space.folder);

/** The split of each text. */
const splitOf = (
  candidates: readonly Candidate[],
  by: 'hash' | 'class' | 'time',
  shares: Shares = options.shares,
): ReadonlyMap<string, string> => {
  const { dataset } = assemble(candidates, { ...options, by, shares });
  return new Map(
    splits.flatMap((split) => dataset[split].map(({ text, pair }) => [`${text}|${pair}`, split] as const)),
  );
};

const placeOf = ({ text, pair }: Candidate): string => `${text}|${pair}`;

const filler = (count: number): readonly Candidate[] =>
  Array.from({ length: count }, (_, i) => ({ text: `filler ${i}`, target: `c${i % 2}`, group: `own ${i}` }));

describe('groups', () => {
  const member = fc.record({
    text: fc.integer({ min: 0, max: 30 }),
    pair: fc.integer({ min: 0, max: 3 }),
    group: fc.integer({ min: 0, max: 12 }),
    target: fc.integer({ min: 0, max: 4 }),
  });

  it.each(['hash', 'class'] as const)('are in one split, and so are pairs of one first text (by %s)', (by) => {
    fc.assert(
      fc.property(fc.array(member, { maxLength: 60 }), (members) => {
        const candidates = members.map(
          ({ text, pair, group, target }): Candidate => ({
            ...{ text: `t${text}`, pair: `p${pair}`, group: `g${group}`, target: `c${target}` },
          }),
        );
        const places = splitOf([...filler(150), ...candidates], by);
        const splitsBy = new Map<string, Set<string>>();
        // Of equal pairs only the first is there, with its own group.
        for (const one of new Map(candidates.toReversed().map((each) => [placeOf(each), each])).values()) {
          for (const name of [`group ${one.group}`, `text ${one.text}`]) {
            splitsBy.set(name, (splitsBy.get(name) ?? new Set()).add(places.get(placeOf(one)) ?? 'none'));
          }
        }
        expect([...splitsBy].filter(([, own]) => own.size > 1)).toEqual([]);
      }),
    );
  });

  it('go by the hash of their name: order, texts and other groups move none', () => {
    const texts = Array.from(
      { length: 4000 },
      (_, i): Candidate => ({
        ...{ text: `text ${i}`, target: `c${i % 2}`, group: `customer ${i % 800}` },
      }),
    );
    const places = splitOf(texts, 'class');
    const other = texts.map((one) => ({ ...one, text: `another ${one.text}` }));
    const moved = splitOf([...other, ...texts].toReversed(), 'class');
    for (const one of texts) expect(moved.get(placeOf(one))).toBe(places.get(placeOf(one)));
    const tested = new Set(texts.filter((one) => places.get(placeOf(one)) === 'test').map(({ group }) => group));
    // Four standard deviations of a draw of 800 groups at 10 %.
    expect(Math.abs(tested.size - 80)).toBeLessThan(34);
  });

  const customers = (count: number, groups: number): string =>
    Array.from({ length: count }, (_, i) => `text ${i},c${i % 2},customer ${i % groups}\n`).join('');

  it('are read from a column; the report says where few of them are held out', async () => {
    using space = workspace();
    space.write('data.csv', `text,label,customer\n${customers(300, 12)}`);
    const config = { groupBy: 'customer' };
    expect(await check(dataSchema.parse({ uses: 'csv', file: 'data.csv', ...config }), space.folder)).toEqual([]);
    const { dataset, remarks } = await loaded(space, config);
    const customersIn = (split: (typeof splits)[number]) =>
      new Set(dataset[split].map(({ text }) => Number(text.slice(5)) % 12));
    const counts = splits.map((split) => customersIn(split).size);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(12);
    expect(remarks).toEqual(
      (['validation', 'test'] as const).map(
        (split) =>
          `the ${split} split has ${customersIn(split).size} of 12 groups: what holds of them may hold of no others`,
      ),
    );
  });

  it('that files or a column part are refused with name and rows', async () => {
    using space = workspace();
    space.write('train.csv', `text,label,customer\n${customers(200, 20)}`);
    space.write('test.csv', 'text,label,customer\nnew 1,c0,somebody\nnew 2,c1,customer 7\n');
    const message =
      "train.csv:9: the group 'customer 7' is in the train split, and at test.csv:3 in the test split; move its rows to one of them, or let groupBy draw the splits: name one 'file', without 'splitColumn'";
    const files = { file: undefined, train: 'train.csv', test: 'test.csv', groupBy: 'customer' };
    expect(await refusal(loaded(space, files))).toBe(`shared-group: ${message}`);
    expect(await check(dataSchema.parse({ uses: 'csv', ...files }), space.folder)).toEqual([
      { code: 'shared-group', path: ['train'], message },
    ]);
    space.write('test.csv', 'text,label,customer\nnew 1,c0,somebody\nnew 2,c1,somebody\n');
    expect(await refusal(loaded(space, files))).toBe('nothing');
    const rows = Array.from(
      { length: 200 },
      (_, i) => `text ${i},c${i % 2},g${i % 40},${i % 40 < 30 ? 'train' : 'test'}\n`,
    );
    space.write('data.csv', `text,label,group,part\n${rows.join('')}`);
    const column = { splitColumn: 'part', groupBy: 'group' };
    expect(await refusal(loaded(space, column))).toBe('nothing');
    space.write('data.csv', `text,label,group,part\n${rows.join('')}odd,c1,g3,test\n`);
    expect(await refusal(loaded(space, column))).toMatch(
      /^shared-group: data\.csv:202: the group 'g3' is in the test split, and at data\.csv:5 in the train split/,
    );
  });

  it('keep unlabelled texts out that are of a group that is held out', async () => {
    using space = workspace();
    space.write('data.csv', `text,label,customer\n${customers(300, 30)}`);
    space.write(
      'more.csv',
      `text,customer\n${Array.from({ length: 90 }, (_, i) => `more ${i},customer ${i % 30}\n`).join('')}`,
    );
    space.write('plain.csv', 'text\none\ntwo\n');
    const { dataset, remarks } = await loaded(space, { groupBy: 'customer', unlabelled: ['more.csv'] });
    const held = new Set([...dataset.validation, ...dataset.test].map(({ text }) => Number(text.slice(5)) % 30));
    expect(held.size).toBeGreaterThan(1);
    expect(dataset.unlabelled.filter(({ text }) => held.has(Number(text.slice(5)) % 30))).toEqual([]);
    expect(dataset.unlabelled.length).toBe(90 - 3 * held.size);
    expect(remarks).toContain(
      `${3 * held.size} unlabelled texts are left out: their groups are in the validation or the test split`,
    );
    const plain = await loaded(space, { groupBy: 'customer', unlabelled: 'plain.csv' });
    expect(plain.dataset.unlabelled.length).toBe(2);
  });

  it('have to be there, and be other than texts and classes', async () => {
    using space = workspace();
    space.write('data.csv', `text,label,customer\n${customers(100, 50)}x,c1,\ny,c1,NULL\n`);
    expect(await refusal(loaded(space, { groupBy: 'customer' }))).toBe(
      "empty-cell: data.csv:102: column 'customer' (groupBy) is empty (and 1 more row); fill it in, or leave such rows out with missing: drop",
    );
    expect((await loaded(space, { groupBy: 'customer', missing: 'drop' })).dropped).toBe(2);
    expect(await check(dataSchema.parse({ uses: 'csv', file: 'data.csv', groupBy: 'custmer' }), space.folder)).toEqual([
      {
        code: 'missing-column',
        path: ['groupBy'],
        message: "data.csv: there is no column 'custmer'; did you mean 'customer'?",
      },
    ]);
    const wrong = dataSchema.safeParse({ uses: 'csv', file: 'data.csv', groupBy: 'label' });
    expect(wrong.error?.issues.map(({ path }) => path)).toEqual([['groupBy']]);
  });
});

describe('splits by time', () => {
  const timed = fc.array(fc.record({ day: fc.integer({ min: 0, max: 30 }), group: fc.integer({ min: 0, max: 40 }) }), {
    minLength: 3,
    maxLength: 120,
  });
  const time = (value: number): Time => ({ value, form: 'number' });

  it('have the newest in test, the ones before in validation, and never part equal times', () => {
    fc.assert(
      fc.property(timed, fc.constantFrom(0.1, 0.3), fc.constantFrom(0, 0.2), (rows, test, validation) => {
        fc.pre(new Set(rows.map(({ day }) => day)).size > 2);
        const candidates = rows.map(
          ({ day }, i): Candidate => ({ text: `t${i}`, target: `c${i % 2}`, time: time(day) }),
        );
        let places: ReadonlyMap<string, string>;
        try {
          places = splitOf(candidates, 'time', { validation, test });
        } catch (error) {
          // A training split of one class, a class that is only in the newest texts, or no validation as asked.
          if (isUserError(error, 'data') && /^(?:one-class|foreign-label|empty-split)$/.test(error.code)) return;
          throw error;
        }
        const daysIn = (split: string) =>
          candidates.flatMap((one) => (places.get(placeOf(one)) === split ? [one.time?.value ?? 0] : []));
        const [tested, validated, trained] = ['test', 'validation', 'train'].map(daysIn);
        expect(Math.min(...(tested ?? []))).toBeGreaterThan(Math.max(...(validated ?? [])));
        expect(Math.min(...(validated ?? []))).toBeGreaterThan(Math.max(...(trained ?? [])));
      }),
    );
  });

  it('never train on what is newer than a text that judges, with groups in one split', () => {
    fc.assert(
      fc.property(timed, (rows) => {
        const candidates = rows.map(
          ({ day, group }, i): Candidate => ({
            ...{ text: `t${i}`, target: `c${i % 2}`, time: time(day), group: `g${group}` },
          }),
        );
        let places: ReadonlyMap<string, string>;
        try {
          places = splitOf(candidates, 'time');
        } catch (error) {
          if (isUserError(error, 'data')) return;
          throw error;
        }
        const groups = new Map<string, Set<string>>();
        const newest = new Map<string, number>();
        for (const one of candidates) {
          const split = places.get(placeOf(one)) ?? '';
          groups.set(one.group ?? '', (groups.get(one.group ?? '') ?? new Set()).add(split));
          newest.set(split, Math.max(newest.get(split) ?? -1, one.time?.value ?? 0));
        }
        expect([...groups].filter(([, own]) => own.size > 1)).toEqual([]);
        expect(newest.get('test')).toBeGreaterThan(newest.get('validation') ?? -1);
        expect(newest.get('validation')).toBeGreaterThan(newest.get('train') ?? -1);
      }),
    );
  });

  const dated = (count: number, extra = ''): string =>
    `text,label,created\n${Array.from({ length: count }, (_, i) => `text ${i},c${i % 2},2024-01-01 ${String(Math.floor(i / 60)).padStart(2, '0')}:${String(i % 60).padStart(2, '0')}\n`).join('')}${extra}`;

  it('are read from a column, and their beginnings are told', async () => {
    using space = workspace();
    space.write('data.csv', dated(300));
    const { dataset, remarks } = await loaded(space, { splitByTime: 'created' });
    expect(dataset.test.map(({ text }) => Number(text.slice(5))).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 30 }, (_, i) => 270 + i),
    );
    expect([dataset.train.length, dataset.validation.length]).toEqual([240, 30]);
    expect(remarks).toEqual([
      'the splits are parted by time: validation from 2024-01-01T04:00:00.000, test from 2024-01-01T04:30:00.000 on',
    ]);
  });

  it('take the newest of equal texts, so that none is trained on that is tested', async () => {
    using space = workspace();
    space.write('data.csv', dated(300, 'text 3,c0,2024-01-01 23:00\n'));
    const { dataset, contradictions } = await loaded(space, { splitByTime: 'created' });
    expect(contradictions).toBe(1);
    expect(dataset.test.find(({ text }) => text === 'text 3')?.target).toBe(0);
    expect(dataset.train.some(({ text }) => text === 'text 3')).toBe(false);
  });

  it.each([
    [
      'x,c1,31.12.2024\n',
      "no-time: data.csv:302: '31.12.2024' in column 'created' is no time; expected one such as 2024-05-31",
    ],
    ['x,c1,2024-02-30 10:00\n', "no-time: data.csv:302: '2024-02-30 10:00'"],
    ['x,c1,\n', "empty-cell: data.csv:302: column 'created' (splitByTime) is empty"],
    [
      'x,c1,2024-02-03T10:00:00Z\n',
      "other-time: data.csv:302: column 'created' has a time with a zone, and a time without a zone at data.csv:2",
    ],
    ['x,c1,1717171717\n', "other-time: data.csv:302: column 'created' has a number"],
  ])('refuse %j with its row', async (row, expected) => {
    using space = workspace();
    space.write('data.csv', dated(300, row));
    expect(await refusal(loaded(space, { splitByTime: 'created' }))).toContain(expected);
  });

  it('need three different times', async () => {
    using space = workspace();
    space.write(
      'data.csv',
      `text,label,year\n${Array.from({ length: 90 }, (_, i) => `t ${i},c${i % 2},${2020 + (i % 2)}\n`).join('')}`,
    );
    expect(await refusal(loaded(space, { splitByTime: 'year' }))).toMatch(
      /^few-times: the texts are from 2 different times, .*expected at least 3/,
    );
  });

  it.each([
    [{ splitColumn: 'part' }, "expected either 'splitColumn' or 'splitByTime', not both"],
    [{ file: undefined, train: 'a.csv' }, "expected no 'splitByTime' where the splits are files of their own"],
    [{ label: 'created' }, 'expected another column than those of the text and the class'],
  ])('stand alone: not with %j', (more, message) => {
    const wrong = dataSchema.safeParse({ uses: 'csv', file: 'data.csv', splitByTime: 'created', ...more });
    expect(wrong.error?.issues.map((issue) => issue.message)).toContain(message);
  });

  it('order times as clocks do', () => {
    const rising = [
      ['2024', '2024.5', '2.1e3'],
      [
        '2023-12',
        '2024-01-01',
        '2024/01/02',
        '2024-01-02 00:00:01',
        '2024-01-02T00:00:01.000001',
        '2024-01-02 00:00:01,5',
      ],
      ['2024-01-02T01:00:00+02:00', '2024-01-01T23:30:00Z', '2024-01-01 20:00:00.5 -0330', '2024-01-02 00:00 UTC'],
    ];
    for (const texts of rising) {
      const values = texts.map((text) => timeIn(text)?.value ?? Number.NaN);
      expect(values).toEqual(values.toSorted((a, b) => a - b));
      expect(new Set(values).size).toBe(texts.length);
    }
    for (const text of [
      '2024-13-01',
      '2024-01-01 24:00',
      '2024-01-01 10:00 CET',
      '24-01-01',
      '2024-01/01',
      'now',
      '2024-1-1',
    ]) {
      expect([text, timeIn(text)]).toEqual([text, undefined]);
    }
  });

  it('read dates of any day as Date does', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }), (date) => {
        expect(timeIn(date.toISOString())).toEqual({ value: date.getTime() * 1000, form: 'zoned' });
      }),
    );
  });
});
