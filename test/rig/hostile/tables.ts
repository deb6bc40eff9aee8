import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { type Stream, stream } from '../../../data/random.ts';
import { root } from '../build.ts';
import { damaged } from './mutations.ts';
import type { HostileFile } from './pipelines.ts';

/** A file of texts as a stranger could send it; the ending of its name says what it claims to be. */
export interface HostileTable extends HostileFile {
  readonly extension: 'csv' | 'tsv' | 'jsonl' | 'json' | 'parquet' | 'csv.gz' | 'jsonl.gz' | 'txt';
}

const ROWS = 120;
const MEGABYTE = 1_000_000;
const words = [
  'river',
  'money',
  'a "quoted" word',
  'tree, or bush',
  'line\nbreak',
  'café',
  "it's",
  'x;y',
  '#1',
  '  space',
];
const classes = ['nature', 'bank', 'other'];
const rowsOf = <T>(one: (text: string, label: string, i: number) => T): readonly T[] =>
  Array.from({ length: ROWS }, (_, i) =>
    one(`${words[i % words.length]} ${words[(i * 7 + 3) % words.length]} ${i}`, classes[i % classes.length] ?? '', i),
  );

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const csv = `text,label\n${rowsOf((text, label) => `${quoted(text)},${label}\n`).join('')}`;
const tsv = `text\tlabel\n${rowsOf((text, label) => `${text.replaceAll('\n', ' ')}\t${label}\n`).join('')}`;
const jsonl = rowsOf((text, label, id) => `${JSON.stringify({ text, label, id })}\n`).join('');
const json = JSON.stringify(rowsOf((text, label) => ({ text, label })));
const parquet = readFileSync(`${root}test/golden/reviews.parquet`);

const steering = '\u001b[31m\u001b]8;;file:///x\u0007\u009b2J\u202e\u2066\u200b';
const many = (count: number, one: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => one(i)).join('');
const withHeader = (header: string): string => `${header}\n${csv.slice(csv.indexOf('\n') + 1)}`;

const tablesOfText: readonly (readonly [string, () => string | Uint8Array])[] = [
  ['nothing', () => ''],
  ['a byte order mark alone', () => '\ufeff'],
  ['line ends alone', () => '\n'.repeat(MEGABYTE)],
  ['carriage returns alone', () => '\r'.repeat(MEGABYTE)],
  ['zero bytes', () => Buffer.alloc(MEGABYTE)],
  ['bytes of no encoding', () => Buffer.alloc(MEGABYTE, 0xff)],
  [
    'half a character of UTF-16',
    () => Buffer.concat([Buffer.from('\ufefftext,label\na,b\n', 'utf16le'), Buffer.of(0x61)]),
  ],
  ['half of a pair of UTF-16', () => Buffer.from(`\ufefftext,label\n${'\ud800,b\n'.repeat(99)}`, 'utf16le')],
  [
    'UTF-32',
    () =>
      Buffer.from(
        [...`\ufeff${csv}`].flatMap((c) => [(c.codePointAt(0) ?? 0) & 255, ((c.codePointAt(0) ?? 0) >> 8) & 255, 0, 0]),
      ),
  ],
  ['a header without rows', () => 'text,label\n'],
  ['a quote that nobody closes', () => `text,label\n"${'word '.repeat(MEGABYTE)}`],
  ['a quote that nobody closes, with rows in it', () => `text,label\n"${csv.repeat(200)}`],
  ['quotes alone', () => '"'.repeat(MEGABYTE)],
  ['delimiters alone', () => ','.repeat(MEGABYTE)],
  ['fifty thousand columns', () => `${many(3, () => many(50_000, (i) => `c${i},`).concat('\n'))}`],
  ['a row of fifty thousand fields', () => `${csv}${'a,'.repeat(50_000)}\n`],
  ['a cell of thirty megabytes', () => `text,label\n${'a '.repeat(15 * MEGABYTE)},b\n`],
  ['a name of a megabyte', () => withHeader(`${'x'.repeat(MEGABYTE)},label`)],
  ['a class of a megabyte', () => `${csv}a text,${'x'.repeat(MEGABYTE)}\n`],
  ['two columns of one name', () => withHeader('text,text')],
  ['names of nothing', () => withHeader(',')],
  ['names of JavaScript', () => withHeader('__proto__,constructor')],
  ['names that steer a terminal', () => withHeader(`${steering}text,label${steering}`)],
  ['classes that steer a terminal', () => csv.replaceAll(',bank', `,bank${steering}`)],
  ['texts that steer a terminal', () => csv.replaceAll('river', `river${steering}`)],
  ['names of YAML', () => withHeader('"*a: &b !c","{d}: [e]"')],
  ['names over several lines', () => withHeader('"te\nxt","la\r\nbel: 1"')],
  ['names that are numbers', () => withHeader('1,2')],
  ['classes without end', () => `text,label\n${many(20_000, (i) => `a text ${i},class ${i}\n`)}`],
  ['one class', () => csv.replaceAll(/,(nature|bank|other)$/gm, ',one')],
  ['no class', () => csv.replaceAll(/,(nature|bank|other)$/gm, ',')],
  ['one text', () => `text,label\n${many(ROWS, (i) => `the text,${classes[i % 3]}\n`)}`],
  ['a delimiter of its own', () => `sep=|\n${csv.replaceAll(',', '|')}`],
  ['a delimiter of two characters', () => `sep=||\n${csv.replaceAll(',', '||')}`],
  ['HTML', () => `<!doctype html><html><body>${'<p>text</p>'.repeat(999)}</body></html>`],
  ['a page of numbers', () => many(ROWS, (i) => `${i},${i * 2},${i / 3}\n`)],
  ['another file: a zip', () => Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(5000, 7)])],
  ['another file: Excel of old', () => Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(5000, 7)])],
];

const tablesOfJson: readonly (readonly [string, () => string | Uint8Array])[] = [
  ['lists two hundred thousand deep', () => `${'['.repeat(200_000)}\n`],
  ['objects two hundred thousand deep', () => `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}\n`],
  ['a line of thirty megabytes', () => `{"text":"${'a '.repeat(15 * MEGABYTE)}","label":"b"}\n`],
  ['fifty thousand keys', () => `{${many(50_000, (i) => `"k${i}":1,`)}"text":"a"}\n`.repeat(2)],
  ['a key for every row', () => many(20_000, (i) => `{"text":"a","k${i}":1}\n`)],
  ['keys of JavaScript', () => '{"__proto__":{"text":"a"},"constructor":"b","toString":1}\n'.repeat(ROWS)],
  ['a key twice', () => '{"text":"a","text":"b","label":"c"}\n'.repeat(ROWS)],
  ['numbers beyond doubles', () => many(ROWS, (i) => `{"text":"a ${i}","label":1e${i * 10}}\n`)],
  ['whole numbers beyond doubles', () => many(ROWS, (i) => `{"text":"a ${i}","label":90071992547409${i}}\n`)],
  ['halves of pairs', () => many(ROWS, (i) => `{"text":"\\ud800 ${i}","label":"\\udc00${i % 3}"}\n`)],
  ['lines that are null', () => 'null\n'.repeat(ROWS)],
  ['lines that are lists', () => '["a","b"]\n'.repeat(ROWS)],
  ['lines that are texts', () => '"a text"\n'.repeat(ROWS)],
  ['lists for texts', () => '{"text":["a"],"label":["b"]}\n'.repeat(ROWS)],
  ['keys that steer a terminal', () => `{"te${steering}xt":"a b","label":"c"}\n`.repeat(ROWS)],
  ['a list with a comma at its end', () => `${json.slice(0, -1)},]`],
  ['NaN', () => many(ROWS, (i) => `{"text":"a ${i}","label":NaN}\n`)],
  ['another file: a table', () => csv],
];

const packed = (text: string | Uint8Array): Uint8Array => gzipSync(text, { level: 1 });
const gzips: readonly (readonly [string, () => Uint8Array])[] = [
  ['a hundred megabytes of one letter', () => packed(Buffer.alloc(100 * MEGABYTE, 97))],
  ['nothing', () => packed('')],
  ['half of it', () => packed(csv).subarray(0, 200)],
  ['more behind it', () => Buffer.concat([packed(csv), Buffer.from('more')])],
  ['packed twice', () => packed(packed(csv))],
  ['two members', () => Buffer.concat([packed(csv.slice(0, 500)), packed(csv.slice(500))])],
  ['a header alone', () => packed(csv).subarray(0, 10)],
  ['no gzip', () => Buffer.from(csv)],
];

const parquets: readonly (readonly [string, () => Uint8Array])[] = [
  ['its mark alone', () => Buffer.from('PAR1PAR1')],
  [
    'a footer longer than the file',
    () => Buffer.concat([Buffer.from('PAR1'), Buffer.of(255, 255, 255, 127), Buffer.from('PAR1')]),
  ],
  ['an encrypted footer', () => Buffer.concat([parquet.subarray(0, -4), Buffer.from('PARE')])],
  ['no Parquet', () => Buffer.from(csv)],
  ['half of it', () => parquet.subarray(0, parquet.length / 2)],
];

const named = (
  extension: HostileTable['extension'],
  tables: readonly (readonly [string, () => string | Uint8Array])[],
): readonly HostileTable[] => tables.map(([name, bytes]) => ({ name: `${extension}: ${name}`, extension, bytes }));

const sound = [
  ['csv', csv],
  ['tsv', tsv],
  ['jsonl', jsonl],
  ['json', json],
  ['parquet', parquet],
  ['csv.gz', packed(csv)],
  ['jsonl.gz', packed(jsonl)],
] as const;

/** A sound file with damage done to it once to three times. */
const spoiled = (extension: HostileTable['extension'], bytes: string | Uint8Array, seed: number): HostileTable => ({
  name: `${extension} ${seed}`,
  extension,
  bytes: () => {
    const random: Stream = stream(seed, 'table', extension);
    let spoilt: Uint8Array = Buffer.from(bytes);
    for (let times = 1 + random.integer(3); times > 0; times--) spoilt = damaged(spoilt, random);
    return spoilt;
  },
});

/** Files by hand: what nobody would call a table of texts, or one that is made to do harm. */
export const oddTables: readonly HostileTable[] = [
  ...named('csv', tablesOfText),
  ...named('tsv', tablesOfText.slice(0, 14)),
  ...named('txt', tablesOfText.slice(0, 3)),
  ...named('jsonl', tablesOfJson),
  ...named('json', tablesOfJson),
  ...named('csv.gz', gzips),
  ...named('jsonl.gz', gzips),
  ...named('parquet', parquets),
];

/** Sound files with damage by a seed. */
export const spoiledTables = (seeds: number): readonly HostileTable[] =>
  sound.flatMap(([extension, bytes]) => Array.from({ length: seeds }, (_, seed) => spoiled(extension, bytes, seed)));

export const soundTables: readonly HostileTable[] = sound.map(([extension, bytes]) => ({
  name: `${extension}: sound`,
  extension,
  bytes: () => bytes,
}));
