import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { textLines } from '../../data/datasets/text-blocks.ts';

const encodings = {
  'utf-8': (text: string) => Buffer.from(text),
  'utf-8 with a mark': (text: string) => Buffer.from(`\ufeff${text}`),
  'utf-16le': (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le'),
  'utf-16be': (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
} as const;

const linesOf = async (bytes: Buffer, cut: number): Promise<readonly string[]> => {
  const pieces = Array.from({ length: Math.ceil(bytes.length / cut) }, (_, i) =>
    bytes.subarray(i * cut, (i + 1) * cut),
  );
  const lines: string[] = [];
  const stream = Readable.from(pieces);
  for await (const { text } of textLines({ shown: 'standard input', stream })) lines.push(text);
  expect(stream.destroyed).toBe(true);
  return lines;
};

/** Letters of one to four bytes; what begins like another kind of file is tried by itself. */
const line = fc.stringMatching(/^[a-z]([a-z é漢😀]*)$/u);

it('a stream says the same in every encoding, packed or not, in pieces of any size', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1, maxLength: 8 }),
      fc.constantFrom(...Object.values(encodings)),
      fc.boolean(),
      fc.integer({ min: 1, max: 40 }),
      async (lines, encoded, packed, cut) => {
        const bytes = encoded(lines.join('\n'));
        expect(await linesOf(packed ? gzipSync(bytes) : bytes, cut)).toEqual(lines);
      },
    ),
    { numRuns: 200 },
  );
});

it.each([
  ['Latin-1', Buffer.from('one\ncaf\xe9\n', 'latin1'), 'standard input:2: the bytes are not UTF-8'],
  ['a zero byte', Buffer.from('one\ntwo\0\n'), 'standard input:2: there is a zero byte'],
  ['UTF-32', Buffer.from('fffe0000610000000a000000', 'hex'), 'standard input is a text in UTF-32'],
  ['a ZIP', Buffer.from('PK\x03\x04rest'), 'standard input is a ZIP file'],
  ['gzip that was cut', gzipSync('a text\n'.repeat(99)).subarray(0, 30), 'standard input cannot be read: its gzip is'],
  ['a gzip bomb', gzipSync(Buffer.alloc(2 ** 27, `${'a'.repeat(9999)}\n`)), 'no texts are packed so tightly'],
  ['a line without end', Buffer.alloc(2 ** 25, 'a'), 'standard input:1: the row has more than 16777216 characters'],
])('%s in a stream is refused by line', async (_, bytes, message) => {
  await expect(linesOf(bytes, 2 ** 16)).rejects.toThrow(message);
});

it('a text about pages and documents is a text', async () => {
  expect(await linesOf(Buffer.from('<html> is a tag\n<?xml too'), 99)).toEqual(['<html> is a tag', '<?xml too']);
});
