/** A file as a stranger could send it. */
export interface HostileFile {
  readonly name: string;
  readonly bytes: () => string | Uint8Array;
}

const SIZE = 1_000_000;
const filled = (text: string): string => text.repeat(Math.floor(SIZE / text.length));
const rows = (count: number, row: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => row(i)).join('');

/** Pieces of YAML that make a parser recurse, or take time by the square of them, when there are many. */
const pieces = [
  ...[
    '[',
    '{',
    '{a: ',
    '? ',
    '- ',
    '#',
    ' ',
    '\n',
    '&a ',
    '!t ',
    '"',
    "'",
    '\\',
    '- a\n',
    'a: 1\n',
    'a:\n',
    '*a ',
    '|\n',
    '>\n',
  ],
  ...[
    ': ',
    ',',
    '%',
    '---\n',
    '...\n',
    '-',
    '\t',
    '\r',
    '\u2028',
    '[a, ',
    '{a, ',
    '[[],',
    '- &a b\n',
    '- *a\n',
    '? a\n',
    '! ',
  ],
  ...[
    '@',
    '<<: *a\n',
    'a b: c d\n',
    '\0',
    '"a" ',
    '- "',
    '- |\n  a\n',
    '? |\n a\n: b\n',
    '!<',
    '%TAG ! tag:x\n',
    'a: [',
    '- - a\n',
  ],
] as const;

const letters = 'abcdefghijk';
const laughs = (one: (name: string) => string): string =>
  `a: &a {x: 1}\n${[...letters.slice(1)].map((key, i) => `${key}: &${key} ${one(letters[i] ?? '')}\n`).join('')}`;

/** Pipeline files: each is refused with one message, soon. */
export const hostilePipelines: readonly HostileFile[] = [
  ...pieces.map((piece) => ({ name: `a megabyte of ${JSON.stringify(piece)}`, bytes: () => filled(piece) })),
  ...[500, 10_000].map((depth) => ({
    name: `lists ${depth} deep`,
    bytes: () => `a: ${'['.repeat(depth)}${']'.repeat(depth)}`,
  })),
  { name: 'mappings inside each other', bytes: () => rows(1400, (i) => `${' '.repeat(i)}a:\n`) },
  { name: 'lists inside each other', bytes: () => `a: ${'- '.repeat(3000)}1\n` },
  { name: 'keys without end', bytes: () => rows(90_000, (i) => `k${i}: 1\n`) },
  { name: 'anchors without end', bytes: () => rows(40_000, (i) => `- &a${i} ${i}\n- *a${i}\n`) },
  { name: 'a billion laughs in lists', bytes: () => laughs((of) => `[${Array(9).fill(`*${of}`)}]`) },
  {
    name: 'a billion laughs in mappings',
    bytes: () => laughs((of) => `{${Array.from({ length: 9 }, (_, i) => `k${i}: *${of}`)}}`),
  },
  { name: 'a billion laughs in merge keys', bytes: () => laughs((of) => `{<<: [${Array(9).fill(`*${of}`)}]}`) },
  { name: 'an alias to itself', bytes: () => 'a: &a [*a]\n' },
  { name: 'UTF-16', bytes: () => Buffer.from('\ufeffname: a\n', 'utf16le') },
  { name: 'half a pair of UTF-16', bytes: () => Buffer.from('name: a # \xed\xa0\x80', 'latin1') },
  { name: 'a name as long as a book', bytes: () => `name: "${'x'.repeat(900_000)}"\n"${'y'.repeat(90_000)}": 1\n` },
];
