import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { dataSchema, load } from '../../data/datasets/index.ts';
import { sniff } from '../../data/datasets/sniff.ts';
import { isUserError } from '../../ground/errors.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

type Options = Readonly<Record<string, unknown>>;

const lines = (count: number, row: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => `${row(i)}\n`).join('');

const labelOf = (i: number): string => (i % 3 === 0 ? 'no' : 'yes');

const ordinary = (delimiter = ',', count = 300): string =>
  lines(count, (i) => `text number ${i}${delimiter}${labelOf(i)}`);

/** Every text with the class it was given, or the complaint. */
const read = async (
  space: Workspace,
  content: string | Uint8Array,
  { name = 'data.csv', uses = 'csv', ...options }: Options = {},
): Promise<ReadonlyMap<string, string | undefined> | string> => {
  space.write(String(name), content);
  try {
    const { dataset } = await load(dataSchema.parse({ uses, file: name, ...options }), space.folder);
    const all = [...dataset.train, ...dataset.validation, ...dataset.test];
    return new Map(all.map(({ text, target }) => [text, dataset.classes[Number(target ?? -1)]]));
  } catch (error) {
    if (isUserError(error, 'data')) return `${error.code}: ${error.message}`;
    throw error;
  }
};

const size = (result: ReadonlyMap<string, unknown> | string): number | string =>
  typeof result === 'string' ? result : result.size;

describe('a double quote', () => {
  it('is a plain character in tab-separated files whose rows say so: none of 300 is swallowed', async () => {
    using space = workspace();
    // As GLUE writes it: a quotation begins in one row and ends in another, or is the word before a tab.
    const text = (i: number) => (i % 5 === 0 ? `"so it began ${i}` : i % 5 === 1 ? `and ended ${i}"` : `text ${i}`);
    const rows = await read(space, `id\ttext\tlabel\n${lines(300, (i) => `${i}\t${text(i)}\t${labelOf(i)}`)}`);
    expect(size(rows)).toBe(300);
    expect((rows as ReadonlyMap<string, string>).get('"so it began 0')).toBe('no');
    expect((rows as ReadonlyMap<string, string>).get('and ended 1"')).toBe('yes');
  });

  it('is one, too, where it never closes, or stands inside of a field', async () => {
    using space = workspace();
    for (const odd of ['"never closed', 'a 5" disk', '"quoted" and more', '"all of it"']) {
      const rows = await read(space, `text\tlabel\n${ordinary('\t')}${odd}\tyes\n"open\tno\n`);
      expect(size(rows)).toBe(302);
      expect((rows as ReadonlyMap<string, string>).get(odd)).toBe('yes');
    }
  });

  it('quotes where fields hold tabs or line breaks, as spreadsheets write them', async () => {
    using space = workspace();
    const rows = await read(space, `text\tlabel\n${ordinary('\t')}"a\tb ""c"""\tyes\n"two\nlines"\tno\n"plain"\tyes\n`);
    expect([...(rows as ReadonlyMap<string, string>).keys()]).toEqual(
      expect.arrayContaining(['a\tb "c"', 'two\nlines', 'plain']),
    );
    expect(size(rows)).toBe(303);
  });

  it('that would swallow rows of a comma-separated file is refused with both readings', async () => {
    using space = workspace();
    const content = `text,label\n${ordinary()}"so it began,no\nand ended",yes\n`;
    expect(await read(space, content)).toBe(
      'two-quotings: data.csv:302: a double quote begins a field that goes over 2 lines if quotes quote (302 rows in all), ' +
        `and over one if they are plain characters (303 rows); write quote: '"' or quote: none`,
    );
    expect(size(await read(space, content, { quote: 'none' }))).toBe(302);
    expect(size(await read(space, content, { quote: '"' }))).toBe(301);
  });

  it('quotes in a column of multi-line texts alone', async () => {
    using space = workspace();
    const content = `text\n${lines(150, (i) => `"one, ${i}\ntwo"`)}${lines(150, (i) => `plain ${i}`)}`;
    expect(size(await read(space, content, { task: 'features' }))).toBe(300);
  });

  it('is plain in a list of texts that no comma parts', async () => {
    using space = workspace();
    const content = `text\n${lines(300, (i) => (i % 20 === 0 ? `"Well, ${i}, yes," she said` : `so, ${'well, '.repeat(i % 3)}it goes ${i}`))}`;
    expect(size(await read(space, content, { task: 'features' }))).toBe(300);
  });

  it.each([
    ['a space before it', 'one, "two, three"\n', 'spaced-quote: data.csv:302: there is a space before the quote'],
    [
      'a backslash before it',
      '"say \\"hi\\", then",yes\n',
      /^stray-quote: data\.csv:302: .*; all rows can be read with escape: "\\\\"$/,
    ],
  ])('with %s is refused with advice', async (_, row, expected) => {
    using space = workspace();
    const found = await read(space, `text,label\n${ordinary()}${row}`);
    expect(found).toMatch(typeof expected === 'string' ? new RegExp(`^${expected}`) : expected);
  });

  it('may be another character, and another may escape it', async () => {
    using space = workspace();
    const single = await read(space, `text,label\n${ordinary()}'it''s, so',yes\n`, { quote: "'" });
    expect([...(single as ReadonlyMap<string, string>).keys()]).toContain("it's, so");
    const escaped = await read(space, `text,label\n${ordinary()}"say \\"hi\\", then",yes\n`, { escape: '\\' });
    expect([...(escaped as ReadonlyMap<string, string>).keys()]).toContain('say "hi", then');
  });
});

describe('the delimiter', () => {
  it('is the one that parts all rows alike, whatever the header holds', async () => {
    using space = workspace();
    const rows = await read(
      space,
      `Text (a, b, c);Label\n${lines(300, (i) => `${'x, '.repeat(i % 4)}${i};${labelOf(i)}`)}`,
      {
        text: 'Text (a, b, c)',
        label: 'Label',
      },
    );
    expect(size(rows)).toBe(300);
  });

  it.each([';', '|', '\t'])('is %j where the first line announces it', async (delimiter) => {
    using space = workspace();
    const rows = await read(space, `sep=${delimiter}\r\ntext${delimiter}label\r\n${ordinary(delimiter)}`);
    expect(size(rows)).toBe(300);
    const empty = await read(space, `sep=;\ntext;label\n${ordinary(';')}x;\n`);
    expect(empty).toMatch(/^empty-label: data\.csv:303: /);
  });

  it('that contradicts the announced one is refused, as are two that part all rows', async () => {
    using space = workspace();
    expect(await read(space, `sep=;\ntext;label\n${ordinary(';')}`, { delimiter: ',' })).toMatch(
      /^other-delimiter: data\.csv:1: the file says that its delimiter is ";", 'delimiter' that it is ","/,
    );
    const both = `text,a|label\n${lines(300, (i) => `t ${i},b|${labelOf(i)}`)}`;
    expect(await read(space, both)).toBe(
      'two-delimiters: data.csv can be read with delimiter "," (2 columns) and with delimiter "|" (2 columns); write \'delimiter\'',
    );
  });

  it('is told by rows behind a line that is no header', async () => {
    using space = workspace();
    expect(await read(space, `# made today\n${ordinary()}`)).toMatch(
      /^unequal-row: data\.csv:2: the row has 2 fields, the first row 1; write 'delimiter', or remove lines above the header/,
    );
  });
});

describe('a first row that is no header', () => {
  it('is a text like the others with header: false, and columns are numbered or named', async () => {
    using space = workspace();
    const numbered = await read(space, ordinary(), { header: false, text: '1', label: '2' });
    const named = await read(space, ordinary(), { header: ['text', 'label'] });
    expect(size(numbered)).toBe(300);
    expect(named).toEqual(numbered);
    expect(await read(space, ordinary(), { header: ['text'] })).toMatch(
      /^other-width: data\.csv:1: the row has 2 fields, 'header' names 1/,
    );
    expect(await read(space, ordinary())).toMatch(
      /^missing-column: .*; where the first row is no header, write header: false$/,
    );
  });

  it('is seen by its values, and asked about where they do not tell', async () => {
    using space = workspace();
    const guess = await sniff(space.write('data.csv', ordinary()));
    expect([guess.table.header, guess.text, guess.label, guess.rows]).toEqual([false, '1', '2', 300]);
    const unclear = space.write(
      'unclear.csv',
      lines(300, (i) => `this is a text ${i}`),
    );
    await expect(sniff(unclear)).rejects.toThrow(
      "unclear.csv: the first row may be names or the first text (one of its fields is 'this is a text 0'); say which: --header or --no-header",
    );
    expect((await sniff(unclear, false)).rows).toBe(300);
    expect((await sniff(unclear, true)).rows).toBe(299);
  });
});

const utf16 = (text: string, order: 'le' | 'be', mark: boolean): Uint8Array => {
  const bytes = Buffer.from(`${mark ? '\ufeff' : ''}${text}`, 'utf16le');
  return order === 'le' ? bytes : bytes.swap16();
};

describe('the encoding', () => {
  const content = `text,label\n${lines(1500, (i) => `"ünï ${i} 👍 文字\nzwei",${labelOf(i)}`)}`;

  it.each([
    ['UTF-16 LE with a mark', utf16(content, 'le', true)],
    ['UTF-16 BE with a mark', utf16(content, 'be', true)],
    ['UTF-16 LE', utf16(content, 'le', false)],
    ['UTF-16 BE', utf16(content, 'be', false)],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${content}`)],
    ['gzip', gzipSync(content)],
    ['gzip of UTF-16', gzipSync(utf16(content, 'le', true))],
    ['CRLF', Buffer.from(content.replaceAll('\n', '\r\n'))],
    ['CR alone', Buffer.from(content.replaceAll('\n', '\r'))],
  ])('%s is read like UTF-8', async (_, bytes) => {
    using space = workspace();
    const plain = await read(space, content);
    expect(size(plain)).toBe(1500);
    expect(await read(space, bytes)).toEqual(plain);
  });

  it.each([
    [
      'a cut gzip',
      gzipSync(content).subarray(0, 2000),
      /^unreadable-file: data\.csv cannot be read: its gzip is damaged or cut/,
    ],
    [
      'half a character of UTF-16',
      utf16(content, 'le', true).subarray(0, 4001),
      /^broken-utf16: data\.csv:\d+: half of a character/,
    ],
    [
      'a zero byte',
      Buffer.from(`text,label\n${ordinary()}a\0b,yes\n`),
      /^zero-byte: data\.csv:302: there is a zero byte/,
    ],
    [
      'UTF-32',
      Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]),
      /^foreign-file: data\.csv is a text in UTF-32; save it as UTF-8/,
    ],
    [
      'Latin-1',
      Buffer.from(`text,label\n${ordinary()}caf\u00e9,yes\n`, 'latin1'),
      /^not-utf8: data\.csv:302: .* Latin-1/,
    ],
    ['a spreadsheet', Buffer.from('PK\x03\x04\x14\0'), /^foreign-file: data\.csv is a ZIP file \(so are \.xlsx/],
    [
      'a tar archive in gzip',
      gzipSync(Buffer.concat([Buffer.alloc(257, 'a'), Buffer.from('ustar\0')])),
      /is a tar archive/,
    ],
    [
      'Parquet',
      Buffer.from('PAR1\x15\x04'),
      /^foreign-file: data\.csv is an Apache Parquet file; write 'uses: parquet'/,
    ],
    ['a PDF', Buffer.from('%PDF-1.7\n'), /is a PDF document/],
    ['a page', Buffer.from('\ufeff\n<!DOCTYPE html>\n<html>'), /is a web page/],
    ['a pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\n'), /git lfs pull/],
  ])('or kind of file that %s is, is named with what to do', async (_, bytes, expected) => {
    using space = workspace();
    expect(await read(space, bytes)).toMatch(expected);
  });
});

describe('JSON', () => {
  const objects = Array.from({ length: 300 }, (_, i) => ({ text: `t ${i}`, label: labelOf(i), extra: [i] }));
  const json = (content: string | Uint8Array, name = 'data.json') => ({ content, options: { name, uses: 'jsonl' } });

  it.each([
    ['a list in one line', json(JSON.stringify(objects))],
    ['a list over lines', json(JSON.stringify(objects, null, 2))],
    ['lines with a mark', json(`\ufeff${lines(300, (i) => JSON.stringify(objects[i]))}`, 'data.jsonl')],
    ['gzip', json(gzipSync(lines(300, (i) => JSON.stringify(objects[i]))), 'data.jsonl.gz')],
  ])('as %s is read', async (_, { content, options }) => {
    using space = workspace();
    expect(size(await read(space, content, options))).toBe(300);
    expect((await sniff(space.path(options.name))).label).toBe('label');
  });

  it.each([
    ['{"version":"1","data":[{"text":"a"}]}', "other-document: data.json is one JSON object (keys: 'version', 'data')"],
    [
      '{\n"text": {"0":"a"},\n"label": {"0":"b"}\n}',
      "other-document: data.json is one JSON object (keys: 'text', 'label')",
    ],
    ['{"text": {"0":"a"}, "label": {"0":"b"}}', "other-document: data.json is one JSON object (keys: 'text', 'label')"],
    ['[{"text":"a","label":"b"},\n{"text":"a","label":}]', 'broken-json: data.json:2: '],
    ['[1]', 'broken-json: data.json, item 1: it is a number; expected an object'],
    ['{"text":"a","label":"b"},\n', 'broken-json: data.json:1: '],
    ['{"text":"a","label":NaN}\n', 'broken-json: data.json:1: '],
    ['{"text":"a","toString":"b"}\n', "missing-column: data.json:1: there is no column 'label'"],
  ])('such as %j is refused with its place', async (content, expected) => {
    using space = workspace();
    expect(String(await read(space, content, { name: 'data.json', uses: 'jsonl' })).slice(0, expected.length)).toBe(
      expected,
    );
  });
});
