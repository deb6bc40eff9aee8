import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { check, dataSchema, load, look, sources } from '../../data/datasets/index.ts';
import { isUserError } from '../../ground/errors.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

const lines = (count: number, row: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => `${row(i)}\n`).join('');

const ordinary = (count = 300, first = 0): string =>
  lines(count, (i) => `text number ${first + i},${i % 3 === 0 ? 'no' : 'yes'}`);

type Options = Readonly<Record<string, unknown>>;

/** What is wrong with a file: the stable code and the whole message. */
const complaint = async (space: Workspace, content: string | Uint8Array, options: Options = {}): Promise<string> => {
  space.write('data.csv', content);
  try {
    await load(dataSchema.parse({ uses: 'csv', file: 'data.csv', ...options }), space.folder);
  } catch (error) {
    if (isUserError(error, 'data')) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing';
};

const latin1 = Buffer.concat([Buffer.from(`text,label\n${ordinary(30)}`), Buffer.from([0x66, 0xe9, 0x2c, 0x61, 0x0a])]);

const mistakes: readonly (readonly [string, string | Uint8Array, string])[] = [
  ['an empty file', '', 'empty-file: data.csv has no rows; expected one text a row'],
  ['a header alone', 'text,label\n', 'empty-file: data.csv has no rows; expected one text a row'],
  [
    'a column of another name',
    `txet,label\n${ordinary()}`,
    "missing-column: data.csv:1: there is no column 'text'; did you mean 'txet'?",
  ],
  [
    'no such column at all',
    `text,verdict\n${ordinary()}`,
    "missing-column: data.csv:1: there is no column 'label'; there are: 'text', 'verdict'",
  ],
  [
    'a column twice',
    'text,label,text\na,b,c\n',
    "repeated-column: data.csv:1: the column 'text' appears more than once (columns 1, 3); rename all but one",
  ],
  [
    'an empty text',
    `text,label\n${ordinary(20)}  ,yes\n${ordinary(5, 50)}`,
    'empty-text: data.csv:22: the text is empty; fill it in or remove the row',
  ],
  [
    'several empty texts',
    `text,label\n${ordinary(20)},yes\n"",no\n,no\n`,
    'empty-text: data.csv:22: the text is empty (and 2 more rows); fill it in or remove the row',
  ],
  [
    'an empty label',
    `text,label\n${ordinary(20)}x,\n`,
    "empty-label: data.csv:22: the label is empty; fill it in, leave such rows out with missing: drop, or move texts without labels to a file of their own and name it under 'unlabelled'",
  ],
  [
    'a single class',
    `text,label\n${lines(300, (i) => `t ${i},same`)}`,
    "one-class: all training texts of data.csv are labelled 'same'; expected at least two classes: check that 'label' names the right column",
  ],
  [
    'a quote that never closes',
    `text,label\n${ordinary(20)}"open,yes\n${ordinary(40, 100)}`,
    'open-quote: data.csv:22: a quote in this row never closes; close it, or write "" for a quote inside a field; if quotes are plain characters in this file (62 rows of 2 fields), write quote: none',
  ],
  [
    'a quote that only the next quoted row closes',
    `text,label\n${ordinary(20)}"open,yes\n${lines(9, (i) => `"q ${i}",no`)}`,
    'open-quote: data.csv:22: a quote in this row never closes; close it, or write "" for a quote inside a field; if quotes are plain characters in this file (31 rows of 2 fields), write quote: none',
  ],
  [
    'text behind a closing quote',
    `text,label\n${ordinary(20)}"a" b,yes\n`,
    'stray-quote: data.csv:22: there is text behind a closing quote; quote the whole field and write "" for a quote inside it; if quotes are plain characters in this file (22 rows of 2 fields), write quote: none',
  ],
  [
    'a quote inside a bare field',
    `text,label\n${ordinary(20)}5" disk,yes\n`,
    'stray-quote: data.csv:22: there is a quote inside a field that is not quoted; quote the whole field and write "" for a quote inside it; if quotes are plain characters in this file (22 rows of 2 fields), write quote: none',
  ],
  [
    'a row with more fields',
    `text,label\n"two\r\nlines",no\n\n${ordinary(20)}one, two,yes\n`,
    "unequal-row: data.csv:25: the row has 3 fields, the header 2; quote fields that hold the delimiter, or set 'delimiter'",
  ],
  [
    'bytes that are not UTF-8',
    latin1,
    'not-utf8: data.csv:32: the bytes are not UTF-8, but most likely Latin-1 or Windows-1252; save the file as UTF-8 (in spreadsheets: "CSV UTF-8")',
  ],
  [
    'too few texts',
    'text,label\na,x\nb,y\n',
    'empty-split: the validation split is empty: 2 unique texts are too few; add texts or raise its share',
  ],
];

describe('a csv file', () => {
  it.each(mistakes)('with %s is refused with file, line and advice', async (_, content, expected) => {
    using space = workspace();
    expect(await complaint(space, content)).toBe(expected);
  });

  it('that does not exist is refused', async () => {
    using space = workspace();
    const config = dataSchema.parse({ uses: 'csv', file: 'sub/none.csv' });
    const where = space.path('sub/none.csv');
    const message = `the file sub/none.csv does not exist (looked for ${where}); correct the path`;
    await expect(load(config, space.folder)).rejects.toThrow(message);
    expect(await check(config, space.folder)).toEqual([{ code: 'missing-file', path: ['file'], message }]);
  });

  it('that is a folder is refused', async () => {
    using space = workspace();
    const config = dataSchema.parse({ uses: 'csv', file: '.' });
    await expect(load(config, space.folder)).rejects.toThrow('. is a folder; expected a file');
  });

  it('is found wrong by its header before anything runs', async () => {
    using space = workspace();
    space.write('train.csv', `text,lable\n${ordinary()}`);
    space.write('test.csv', '');
    space.write('more.csv', 'sentence\nx\n');
    const config = dataSchema.parse({ uses: 'csv', train: 'train.csv', test: 'test.csv', unlabelled: 'more.csv' });
    expect(await check(config, space.folder)).toEqual([
      { code: 'empty-file', path: ['test'], message: 'test.csv has no rows; expected one text a row' },
      {
        code: 'missing-column',
        path: ['label'],
        message: "train.csv: there is no column 'label'; did you mean 'lable'?",
      },
      {
        code: 'missing-column',
        path: ['text'],
        message: "more.csv: there is no column 'text'; there are: 'sentence'",
      },
    ]);
    expect(await sources(config, space.folder)).toEqual(
      ['test.csv', 'train.csv', 'more.csv'].map((file) => space.path(file)),
    );
  });

  it('is read with byte order mark, CRLF, quotes, line breaks and empty lines', async () => {
    using space = workspace();
    const special = '"say ""hi"", then\r\ngo",yes\r\n\r\n';
    space.write('data.csv', `\ufefflabel,text\r\n${ordinary().replace(/(.*),(.*)\n/g, '$2,$1\r\n')}`);
    space.write('special.csv', `\ufefftext,label\r\n${ordinary().replaceAll('\n', '\r\n')}${special}`);
    const load1 = (file: string) => load(dataSchema.parse({ uses: 'csv', file }), space.folder);
    const all = async (file: string) => {
      const { dataset } = await load1(file);
      return [...dataset.train, ...dataset.validation, ...dataset.test];
    };
    expect((await load1('data.csv')).dataset.classes).toEqual(['no', 'yes']);
    expect((await all('data.csv')).length).toBe(300);
    const texts = (await all('special.csv')).map(({ text }) => text);
    expect(texts.length).toBe(301);
    expect(texts).toContain('say "hi", then\ngo');
  });

  it.each([';', '\t', '|'])('is read with the delimiter %j, named or not', async (delimiter) => {
    using space = workspace();
    space.write('data.csv', `text,label\n${ordinary()}`.replaceAll(',', delimiter));
    const sizes = async (options: Options) => {
      const { dataset } = await load(dataSchema.parse({ uses: 'csv', file: 'data.csv', ...options }), space.folder);
      return [dataset.train.length, dataset.validation.length, dataset.test.length];
    };
    const guessed = await sizes({});
    expect(guessed.reduce((sum, size) => sum + size, 0)).toBe(300);
    expect(await sizes({ delimiter })).toEqual(guessed);
  });

  it('larger than a block of the disk keeps lines and characters whole', async () => {
    using space = workspace();
    space.write('data.csv', `text,label\n${lines(6000, (i) => `"ünïcödé ${'é'.repeat(i % 40)} 👍\n${i}",c${i % 2}`)}`);
    const { dataset } = await load(dataSchema.parse({ uses: 'csv', file: 'data.csv' }), space.folder);
    const texts = [...dataset.train, ...dataset.validation, ...dataset.test].map(({ text }) => text);
    expect(texts.length).toBe(6000);
    expect(texts.filter((text) => !/^ünïcödé é* 👍\n\d+$/.test(text))).toEqual([]);
  });
});

describe('files of their own for each split', () => {
  const write = (space: Workspace, test: string): void => {
    space.write('train.csv', `text,label\n${ordinary(200)}`);
    space.write('validation.csv', `text,label\n${ordinary(50, 500)}`);
    space.write('test.csv', test);
    space.write('more.csv', `text\n${lines(40, (i) => `text number ${190 + i}`)}`);
  };
  const all = { train: 'train.csv', validation: 'validation.csv', test: 'test.csv', unlabelled: 'more.csv' };
  const loaded = (space: Workspace, options: Options) =>
    load(dataSchema.parse({ uses: 'csv', ...options }), space.folder);

  it('stay apart: a text of the test file never trains', async () => {
    using space = workspace();
    write(space, `text,label\n${ordinary(30, 180)}`);
    const { dataset, duplicates } = await loaded(space, all);
    expect(dataset.test.length).toBe(30);
    expect(dataset.validation.length).toBe(50);
    // 180 to 199 are in the test file, 190 to 209 of the unlabelled ones too.
    expect(dataset.train.length).toBe(180);
    expect(dataset.unlabelled.map(({ text }) => text)).toEqual(
      Array.from({ length: 20 }, (_, i) => `text number ${210 + i}`),
    );
    expect(duplicates).toBe(40);
  });

  it('are refused when they hold the same texts', async () => {
    using space = workspace();
    write(space, `text,label\n${ordinary(200)}`);
    await expect(loaded(space, all)).rejects.toThrow(
      'train.csv has no labelled training text; expected at least two classes ' +
        '(texts that the test or validation file holds, too, are not trained on)',
    );
  });

  it('give up training texts where one of them is missing', async () => {
    using space = workspace();
    write(space, `text,label\n${ordinary(30, 1000)}`);
    const { dataset } = await loaded(space, { train: 'train.csv', test: 'test.csv' });
    expect(dataset.test.length).toBe(30);
    expect(dataset.validation.length).toBeGreaterThan(5);
    expect(dataset.train.length + dataset.validation.length).toBe(200);
  });

  it('are refused when the test file has a label that training lacks', async () => {
    using space = workspace();
    write(space, `text,label\n${ordinary(30, 1000)}a,yess\n`);
    await expect(loaded(space, all)).rejects.toThrow(
      "test.csv:32: no training text is labelled 'yess'; did you mean 'yes'?; correct the label, remove the row, or add training texts for it",
    );
  });
});

describe('a jsonl file', () => {
  const complaintOf = async (space: Workspace, extra: string): Promise<string> => {
    const good = lines(200, (i) => JSON.stringify({ text: `t ${i}`, label: i % 2, extra: null }));
    space.write('data.jsonl', good + extra);
    try {
      await load(dataSchema.parse({ uses: 'jsonl', file: 'data.jsonl' }), space.folder);
    } catch (error) {
      if (isUserError(error, 'data')) return `${error.code}: ${error.message}`;
      throw error;
    }
    return 'nothing';
  };

  it('is read; labels may be numbers and booleans', async () => {
    using space = workspace();
    const row = (i: number) => JSON.stringify({ body: `t ${i}`, class: [10, 9, true][i % 3] });
    space.write('data.jsonl', `${lines(300, row)}\n`);
    const config = dataSchema.parse({ uses: 'jsonl', file: 'data.jsonl', text: 'body', label: 'class' });
    const { dataset } = await load(config, space.folder);
    expect(dataset.classes).toEqual(['10', '9', 'true']);
    expect(dataset.maxLength).toBe(128);
    expect(await check(config, space.folder)).toEqual([]);
  });

  it.each([
    ['[1]\n', 'broken-json: data.jsonl:201: the line is a list; expected one JSON object a line'],
    ['\n{"text":"a","lable":1}\n', "missing-column: data.jsonl:202: there is no column 'label'; did you mean 'lable'?"],
    ['{"text":5,"label":1}', "wrong-type: data.jsonl:201: 'text' is a number; expected a text"],
    [
      '{"text":"a","label":[1]}',
      "wrong-type: data.jsonl:201: 'label' is a list; expected one class a text; where texts have several, write task: multi-label",
    ],
    ['{"text":null,"label":1}', 'empty-text: data.jsonl:201: the text is empty; fill it in or remove the row'],
  ])('with %j is refused with file, line and advice', async (extra, expected) => {
    using space = workspace();
    expect(await complaintOf(space, extra)).toBe(expected);
  });

  it('with a line that is no JSON is refused', async () => {
    using space = workspace();
    const message = await complaintOf(space, "{'text': 'a'}\n");
    expect(message).toMatch(/^broken-json: data\.jsonl:201: .*JSON.*; expected one JSON object a line$/);
  });
});

describe('pairs of texts', () => {
  const pairs = (count: number): string =>
    lines(count, (i) => `premise ${i % 50},hypothesis ${i},${i % 3 === 0 ? 'no' : 'yes'}`);
  const config = { uses: 'csv', file: 'data.csv', text: ['premise', 'claim'] };

  it('are read from two columns', async () => {
    using space = workspace();
    space.write('data.csv', `premise,claim,label\n${pairs(300)}premise 7,hypothesis 7,yes\n`);
    const { dataset, duplicates } = await load(dataSchema.parse(config), space.folder);
    expect(duplicates).toBe(1);
    const all = [...dataset.train, ...dataset.validation, ...dataset.test];
    expect(all.length).toBe(300);
    expect(all.find(({ id }) => id === 51)).toEqual({ id: 51, text: 'premise 1', pair: 'hypothesis 51', target: 0 });
    const row = (line: string) => JSON.stringify(Object.fromEntries(line.split(',').map((f, i) => ['abc'[i], f])));
    space.write('data.jsonl', pairs(300).split('\n').filter(Boolean).map(row).join('\n'));
    const jsonl = dataSchema.parse({ uses: 'jsonl', file: 'data.jsonl', text: ['a', 'b'], label: 'c' });
    expect((await load(jsonl, space.folder)).dataset).toEqual(dataset);
  });

  it('whose second column is missing are refused before anything runs', async () => {
    using space = workspace();
    space.write('data.csv', `premise,clam,label\n${pairs(300)}`);
    const message = "data.csv: there is no column 'claim'; did you mean 'clam'?";
    expect(await check(dataSchema.parse(config), space.folder)).toEqual([
      { code: 'missing-column', path: ['text'], message },
    ]);
    await expect(load(dataSchema.parse(config), space.folder)).rejects.toThrow(
      "data.csv:1: there is no column 'claim'; did you mean 'clam'?",
    );
  });

  it('need both texts, with labels and without', async () => {
    using space = workspace();
    space.write('data.csv', `premise,claim,label\n${pairs(300)}alone,,yes\n`);
    await expect(load(dataSchema.parse(config), space.folder)).rejects.toThrow('data.csv:302: the text is empty');
    space.write('data.csv', `premise,claim,label\n${pairs(300)}`);
    space.write('more.jsonl', '{"premise":"p"}\n');
    const more = dataSchema.parse({ ...config, unlabelled: 'more.jsonl' });
    await expect(load(more, space.folder)).rejects.toThrow("more.jsonl:1: there is no column 'claim'");
  });
});

describe('texts without classes', () => {
  it('are there for features, whatever other columns hold', async () => {
    using space = workspace();
    space.write(
      'data.jsonl',
      lines(300, (i) => JSON.stringify({ text: `t ${i}`, label: i })),
    );
    const config = dataSchema.parse({ uses: 'jsonl', file: 'data.jsonl', task: 'features' });
    expect(await check(config, space.folder)).toEqual([]);
    const { dataset } = await load(config, space.folder);
    expect([dataset.task, dataset.classes, dataset.unlabelled]).toEqual(['features', [], []]);
    expect(dataset.test.filter((example) => 'label' in example)).toEqual([]);
    expect(dataset.test.length).toBeGreaterThan(10);
  });
});

describe('options', () => {
  const issues = (options: Options): readonly string[] => {
    const parsed = dataSchema.safeParse({ uses: 'csv', ...options });
    return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  };

  it.each([
    [{}, [": expected 'file' or 'train': where the texts are"]],
    [{ file: 'a.csv', test: 'b.csv' }, ["test: expected either 'file' or 'test', not both"]],
    [{ file: 'a.csv', split: { test: '0.1' } }, ["split.test: expected a share such as '10%'"]],
    [
      { file: 'a.csv', split: { test: '60%', validation: '30%' } },
      ['split: expected shares that leave more than 10% for training'],
    ],
    [{ file: 'a.csv', delimiter: ', ' }, ['delimiter: expected one character']],
    [{ file: 'a.csv', split: { test: '12.5%' } }, []],
    [
      { file: 'a.csv', text: ['a'] },
      ["text: expected a column, or a list of the two columns of a pair; numbers in quotes: '2'"],
    ],
    [
      { file: 'a.csv', task: 'features', labelled: 10 },
      ["labelled: expected no 'labelled' with task: features, which has no labels"],
    ],
    [{ file: 'a.csv', text: ['a', 'b'], task: 'features' }, []],
    [{ file: 'a.csv', text: 'label', task: 'features' }, []],
    [
      { file: 'a.csv', text: ['a', 'b'], label: 'b' },
      ["label: expected another column than those of the text: the class would be read from 'b' itself"],
    ],
  ])('%j give %j', (options, expected) => {
    expect(issues(options)).toEqual(expected);
  });
});

describe('before anything runs', () => {
  const problems = async (space: Workspace, content: string, options: Options = {}) => {
    space.write('data.csv', content);
    return check(dataSchema.parse({ uses: 'csv', file: 'data.csv', ...options }), space.folder);
  };

  it('a small file shows all that a run would refuse', async () => {
    using space = workspace();
    expect(await problems(space, `text,label\n${lines(60, (i) => `t ${i},row ${i}`)}`)).toMatchObject([
      { code: 'one-text-a-class', path: ['file'] },
    ]);
    expect(await problems(space, `text,label\n${ordinary(40)}x,NaN\n`)).toMatchObject([{ code: 'empty-label' }]);
    expect(await problems(space, `text,label\n${ordinary(40)}`)).toEqual([]);
  });

  it('a large one shows what its first rows hold, at their lines', async () => {
    using space = workspace();
    const rest = lines(20_000, (i) => `${'a long text '.repeat(6)}${i},${i % 2}`);
    expect(await problems(space, `text,label\na,0\nb,\n${rest}`)).toMatchObject([
      { code: 'empty-label', message: expect.stringMatching(/^data\.csv:3: /) },
    ]);
    expect(await problems(space, `text,label\n${rest}late,\n`)).toEqual([]);
  });
});

describe('a missing label', () => {
  const content = (label: string) => `text,label\n${ordinary()}odd,${label}\n`;

  it.each([
    ...[
      'nan',
      'NaN',
      'None',
      'null',
      'NULL',
      'NA',
      'N/A',
      '<NA>',
      '#N/A',
      'Nan',
      'nAn',
      'na',
      '\\N',
      '(null)',
      '#NULL!',
    ],
    ...['#REF!', '#DIV/0!', '#NV', '(blank)', '(Missing)', 'n.a.', 'N.A.', '-nan(ind)', 'nan.0', 'ＮａＮ', 'nan\u200b'],
  ])('spelled %s is no class: it is refused with its row, dropped, or kept as a class', async (label) => {
    using space = workspace();
    expect(await complaint(space, content(label))).toBe(
      `empty-label: data.csv:302: the label is '${label}', which stands for a missing one; fill it in, leave such rows out with missing: drop, ` +
        `or, where '${label}' is a class, list what else stands for a missing one: missingValues: []`,
    );
    const loaded = (options: Options) =>
      load(dataSchema.parse({ uses: 'csv', file: 'data.csv', ...options }), space.folder);
    const dropped = await loaded({ missing: 'drop' });
    expect([dropped.dropped, dropped.dataset.classes]).toEqual([1, ['no', 'yes']]);
    expect((await loaded({ missingValues: [] })).dataset.classes).toEqual([label, 'no', 'yes'].sort());
  });

  it('is what the user says, and always the empty one', async () => {
    using space = workspace();
    const options = { missingValues: ['yes'] };
    expect(await complaint(space, content(''), { missingValues: [] })).toMatch(
      /^empty-label: data\.csv:302: the label is empty;/,
    );
    expect(await complaint(space, content('None'), options)).toMatch(/^empty-label: data\.csv:3: the label is 'yes'/);
    expect(await complaint(space, content('none'))).toBe('nothing');
    expect(await complaint(space, `text,label\n${lines(40, (i) => `t ${i},nan`)}`, { missing: 'drop' })).toMatch(
      /^nothing-left: data\.csv: all 40 rows lack a text or a label/,
    );
  });
});

describe('a label that may be a class or stand for a missing one', () => {
  const content = (label: string) => `text,label\n${ordinary()}odd,${label}\nodder,${label}\n`;

  const remarks = async (space: Workspace, text: string, options: Options = {}): Promise<readonly string[]> => {
    space.write('data.csv', text);
    const config = dataSchema.parse({ uses: 'csv', file: 'data.csv', ...options });
    const { remarks: said } = await load(config, space.folder);
    expect((await look(config, space.folder)).remarks).toEqual(said);
    return said.filter((remark) => remark.includes('missing'));
  };

  it.each(['?', '-', '--', '.', '—', 'none', 'NONE', 'nil', '(none)', 'Undefined', 'Missing', 'not available', 'tbd'])(
    '%s is a class, and both readings are told',
    async (label) => {
      using space = workspace();
      const list = JSON.stringify([label]);
      expect(await remarks(space, content(label))).toEqual([
        `'${label}' is a class here, but often stands for a missing label: where so, write missingValues: ${list}, and missing: drop to leave such rows out; where not, missingValues: [] says that every label is a class`,
      ]);
      expect(await remarks(space, content(label), { missingValues: [] })).toEqual([]);
      expect(await complaint(space, content(label), { missingValues: [label] })).toMatch(
        /^empty-label: data\.csv:302: /,
      );
    },
  );

  it.each(['', ' ', '\u200b', '\u00a0', '\u2060\ufeff', '\u00ad', '\u0001'])(
    '%j is none: it shows nothing',
    async (label) => {
      using space = workspace();
      expect(await complaint(space, content(`"${label}"`))).toMatch(
        /^empty-label: data\.csv:302: the label is empty \(and 1 more row\);/,
      );
      expect(await complaint(space, `text,label\n${ordinary()}"${label}",yes\n`)).toMatch(
        /^empty-text: data\.csv:302: the text is empty;/,
      );
    },
  );

  it.each(['+', 'no', 'nano', 'nat park', 'unknown', 'other', ':-)', '0', '***', 'nine'])(
    '%s is a class without a word',
    async (label) => {
      using space = workspace();
      expect(await remarks(space, content(label))).toEqual([]);
    },
  );

  it('is none where its opposite is a class, and is told where a list of the user makes it one', async () => {
    using space = workspace();
    const signs = lines(90, (i) => `text ${i},${i % 2 === 0 ? '+' : '-'}`);
    expect(await remarks(space, `text,label\n${signs}`)).toEqual([]);
    expect(await remarks(space, content('NaN'), { missingValues: ['?'] })).toEqual([
      expect.stringContaining(
        `'NaN' is a class here, but often stands for a missing label: where so, write missingValues: ["?","NaN"]`,
      ),
    ]);
  });
});

describe('a file that is something else', () => {
  const gb = Buffer.from('c4e3bac3cac0bde7a3acd4d9bcfb', 'hex');
  const jis = Buffer.from('82b182f182c982bf82cd90a28a45', 'hex');
  const korean = Buffer.from('bec8b3e7c7cfbcbcbfe4', 'hex');
  const cyrillic = Buffer.from('eff0e8e2e5f2ece8f0', 'hex');
  const greek = Buffer.from('eae1ebe7ecddf1e1eafcf3ece5', 'hex');
  const rowsOf = (word: Buffer): Buffer =>
    Buffer.concat([
      Buffer.from('text,label\n'),
      ...Array.from({ length: 300 }, (_, i) => Buffer.concat([word, Buffer.from(` ${i},${i % 2 ? 'no' : 'yes'}\n`)])),
    ]);

  it.each([
    ['GB18030 (GBK)', gb],
    ['Shift-JIS', jis],
    ['EUC-KR', korean],
    ['Windows-1251', cyrillic],
    ['Windows-1253', greek],
    ['Latin-1 or Windows-1252', Buffer.from('fluß größe', 'latin1')],
    ['Latin-1 or Windows-1252', Buffer.from('déjà vu, garçon'.replace(',', ''), 'latin1')],
  ])('says that it is most likely %s', async (name, word) => {
    using space = workspace();
    expect(await complaint(space, rowsOf(word))).toBe(
      `not-utf8: data.csv:2: the bytes are not UTF-8, but most likely ${name}; save the file as UTF-8 (in spreadsheets: "CSV UTF-8")`,
    );
  });

  it('says that it was packed twice', async () => {
    using space = workspace();
    expect(await complaint(space, gzipSync(gzipSync(Buffer.from(`text,label\n${ordinary()}`))))).toBe(
      'foreign-file: data.csv is gzip within gzip; unpack it once (gunzip)',
    );
  });

  it('says that it is JSON', async () => {
    using space = workspace();
    const row = (i: number) => JSON.stringify({ text: `say "${i}"`, label: i % 2 ? 'no' : 'yes' });
    const said =
      "foreign-file: data.csv is JSON, no table; write 'uses: jsonl', which reads JSON Lines and lists of objects";
    expect(await complaint(space, lines(300, row))).toBe(said);
    expect(await complaint(space, `[\n${row(1)},\n${row(2)}]`)).toBe(said);
  });

  it('says how quotes behind a space, and single ones, are read', async () => {
    using space = workspace();
    const spaced = `"text", "label"\n${lines(300, (i) => `"text, and ${i}", "${i % 3 ? 'no' : 'yes'}"`)}`;
    expect(await complaint(space, spaced)).toBe(
      'spaced-quote: data.csv:1: there is a space before the quote that opens a field; replace , " by ," throughout, so that the quote stands behind the delimiter',
    );
    expect(await complaint(space, spaced.replaceAll(', "', ',"'))).toBe('nothing');
    const single = `'text','label'\n${lines(300, (i) => `'text, and ${i}','${i % 3 ? 'no' : 'yes'}'`)}`;
    expect(await complaint(space, single)).toBe(
      `single-quotes: data.csv:1: every field is in single quotes; write quote: "'", or, where they are a part of the values, quote: none`,
    );
    expect(await complaint(space, single, { quote: "'" })).toBe('nothing');
  });
});

describe('a column of splits that nobody names', () => {
  const remarks = async (space: Workspace, column: string, value: (i: number) => string, options: Options = {}) => {
    const content = lines(300, (i) => `text number ${i},${i % 3 === 0 ? 'no' : 'yes'},${value(i)}`);
    space.write('data.csv', `text,label,${column}\n${content}`);
    const config = dataSchema.parse({ uses: 'csv', file: 'data.csv', ...options });
    const { remarks: said } = await load(config, space.folder);
    expect((await look(config, space.folder)).remarks).toEqual(said);
    return said;
  };
  const ignored = (column: string) =>
    `column '${column}' seems to say in which split a row is, and is ignored: rows go to the splits by their hash; to use it, `;

  it.each([
    ['fold', (i: number) => String(i % 5)],
    ['kfold', (i: number) => String(i % 5)],
    ['is_test', (i: number) => String(Number(i % 5 === 0))],
    ['in train', (i: number) => String(i % 5 !== 0)],
    ['subset', (i: number) => ['A', 'B'][i % 2] ?? ''],
    ['test', (i: number) => ['0', '1'][i % 2] ?? ''],
    ['part', (i: number) => ['train', 'test', 'other'][i % 3] ?? ''],
  ])('called %s is told, and how it is used', async (column, value) => {
    using space = workspace();
    expect(await remarks(space, column, value)).toEqual([
      `${ignored(column)}fill a column with train, validation and test, and name it as splitColumn`,
    ]);
  });

  it('is told with its name where it can be used as it is, and not where it is used', async () => {
    using space = workspace();
    const value = (i: number) => ['Train', 'train', 'dev', 'holdout'][i % 4] ?? '';
    expect(await remarks(space, 'role', value)).toEqual([`${ignored('role')}write splitColumn: "role"`]);
    expect(await remarks(space, 'role', value, { splitColumn: 'role' })).toEqual([]);
    expect(await remarks(space, 'author', (i) => `a${i % 9}`)).toEqual([]);
  });
});

describe('numbers with a comma before their decimals', () => {
  const read = async (space: Workspace, number: (i: number) => string, options: Options) => {
    const content = `text;score\n${lines(300, (i) => `text number ${i};${number(i)}`)}`;
    const said = await complaint(space, content, { task: 'score', label: 'score', ...options });
    if (said !== 'nothing') return said;
    const config = dataSchema.parse({ uses: 'csv', file: 'data.csv', task: 'score', label: 'score', ...options });
    const { dataset } = await load(config, space.folder);
    return new Set(dataset.train.map(({ target }) => target));
  };

  it('are read where the options say so, thousands with their marks', async () => {
    using space = workspace();
    const decimal = { decimal: ',' };
    expect(await read(space, (i) => `${i % 3},25`, decimal)).toEqual(new Set([0.25, 1.25, 2.25]));
    expect(await read(space, (i) => `-1.00${i % 2},5`, decimal)).toEqual(new Set([-1000.5, -1001.5]));
    expect(await read(space, (i) => `${i % 3}.25`, decimal)).toBe(
      `no-number: data.csv:2: "0.25" in column 'score' is no number; expected a number such as 3,5, as decimal: ',' says`,
    );
    expect(await read(space, (i) => `${i % 3},25`, {})).toBe(
      `no-number: data.csv:2: "0,25" in column 'score' is no number; write a point before the decimals: 0.25; or, where the comma does in all rows, decimal: ','`,
    );
  });

  it('are no matter of classes', () => {
    const parsed = dataSchema.safeParse({ uses: 'csv', file: 'data.csv', decimal: ',' });
    expect(parsed.error?.issues.map(({ message }) => message)).toEqual([
      "expected no 'decimal' with task: text-classification, which reads no numbers",
    ]);
  });
});

describe('JSON Lines in which objects lack a key', () => {
  const config = { uses: 'jsonl', file: 'data.jsonl' };
  const row = (i: number) => ({ text: `t ${i}`, ...(i % 10 === 0 ? {} : { label: i % 2 === 0 ? 'no' : 'yes' }) });

  it('have no label there: refused with the first row, or dropped', async () => {
    using space = workspace();
    space.write(
      'data.jsonl',
      lines(300, (i) => JSON.stringify(row(i))),
    );
    await expect(load(dataSchema.parse(config), space.folder)).rejects.toThrow(
      'data.jsonl:1: the label is empty (and 29 more rows);',
    );
    expect(await check(dataSchema.parse(config), space.folder)).toMatchObject([{ code: 'empty-label' }]);
    const { dropped } = await load(dataSchema.parse({ ...config, missing: 'drop' }), space.folder);
    expect(dropped).toBe(30);
  });

  it('name it otherwise: that is told', async () => {
    using space = workspace();
    space.write(
      'data.jsonl',
      lines(300, (i) => JSON.stringify(i === 150 ? { text: 'odd', lable: 'no' } : row(i + 1))),
    );
    const dropping = dataSchema.parse({ ...config, missing: 'drop' });
    await expect(load(dropping, space.folder)).rejects.toThrow(
      "data.jsonl:151: there is no column 'label'; did you mean 'lable'?",
    );
  });
});

describe('a column of splits', () => {
  const split = (i: number, names: readonly string[]): string => names[i % names.length] ?? '';
  const table = (names: readonly string[]): string =>
    `text,label,split\n${lines(300, (i) => `text number ${i},${i % 3 === 0 ? 'no' : 'yes'},${split(i >> 1, names)}`)}`;
  const config = { uses: 'csv', file: 'data.csv', splitColumn: 'split' };
  const sizes = async (space: Workspace) => {
    const { train, unlabelled, validation, test } = (await load(dataSchema.parse(config), space.folder)).dataset;
    return [train.length, unlabelled.length, validation.length, test.length];
  };

  it('says where each row is, under the names that are published', async () => {
    using space = workspace();
    space.write('data.csv', table(['train', 'Train', 'dev', 'TEST', 'unlabelled']));
    expect(await sizes(space)).toEqual([120, 60, 60, 60]);
  });

  it('without validation rows has them split off the training rows', async () => {
    using space = workspace();
    space.write('data.csv', table(['train', 'train', 'train', 'test']));
    const [train = 0, , validation = 0, test] = await sizes(space);
    expect(test).toBe(74);
    expect([train + validation, validation > 15]).toEqual([226, true]);
  });

  it('lets no text of the test rows train, whatever comes first', async () => {
    using space = workspace();
    space.write('data.csv', `${table(['train', 'test', 'dev'])}text number 2,no,train\n`);
    space.write(
      'twice.csv',
      `text,label,split\ntext number 2,no,train\n${table(['train', 'test', 'dev']).split('\n').slice(1).join('\n')}`,
    );
    const { dataset } = await load(dataSchema.parse({ ...config, file: 'twice.csv' }), space.folder);
    expect(dataset.test.map(({ text }) => text)).toContain('text number 2');
    expect(dataset.train.map(({ text }) => text)).not.toContain('text number 2');
  });

  it('of other values is refused with its row', async () => {
    using space = workspace();
    expect(await complaint(space, table(['train', '3']), { splitColumn: 'split' })).toBe(
      "foreign-split: data.csv:4: 'split' is '3'; expected one of 'train', 'validation', 'test', 'unlabelled', or remove 'splitColumn'",
    );
    expect(dataSchema.safeParse({ uses: 'csv', train: 'a', splitColumn: 'split' }).success).toBe(false);
    expect(dataSchema.safeParse({ ...config, splitColumn: 'label' }).success).toBe(false);
  });
});
