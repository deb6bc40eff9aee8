import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelOf as classOf } from '../../data/dataset.ts';
import { check, dataSchema, load } from '../../data/datasets/index.ts';
import { type DataGuess, sniff } from '../../data/datasets/sniff.ts';
import type { UserError } from '../../ground/errors.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

interface Written {
  readonly delimiter: string;
  readonly quoting: 'minimal' | 'all' | 'none';
  readonly lineEnd: string;
  readonly encoding: 'utf-8' | 'utf-8 with a mark' | 'utf-16le' | 'utf-16be' | 'utf-16le without a mark';
  readonly packed: boolean;
  readonly reversed: boolean;
  /** Rows that make the file longer than what is looked at first. */
  readonly filler: number;
  readonly cells: readonly string[];
}

const cell = fc
  .array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom('"', ',', '\t', ';', '|', '\n', ' ', "'", '\\', '""', '\n\n', 'é', '文'),
      },
      { weight: 3, arbitrary: fc.constantFrom('word', 'two words', 'A', '1') },
      { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 6 }) },
    ),
    { maxLength: 8 },
  )
  // Zero bytes are refused, carriage returns are line ends of some files.
  .map((parts) => parts.join('').replace(/[\0\r]/g, ' '));

const written: fc.Arbitrary<Written> = fc.record({
  delimiter: fc.constantFrom(',', '\t', ';', '|'),
  quoting: fc.constantFrom('minimal', 'minimal', 'all', 'none'),
  lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
  encoding: fc.constantFrom('utf-8', 'utf-8 with a mark', 'utf-16le', 'utf-16be', 'utf-16le without a mark'),
  packed: fc.boolean(),
  reversed: fc.boolean(),
  filler: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 3000),
  cells: fc.array(cell, { minLength: 12, maxLength: 40 }),
});

/** What can be written without quotes: no delimiter, no line end. */
const bare = (text: string, delimiter: string): string => text.replaceAll('\n', ' ').replaceAll(delimiter, ' ');

const textsOf = ({ cells, quoting, delimiter, filler }: Written): readonly string[] => [
  ...cells.map((text, i) => {
    const whole = i % 2 === 0 ? `${text} ${i}` : `${i} ${text}`;
    return quoting === 'none' ? bare(whole, delimiter) : whole;
  }),
  ...Array.from({ length: filler }, (_, i) =>
    quoting === 'none'
      ? `more text number ${i}, so to say, and so on`
      : `more text "number" ${i}\nof, so to say,\n${filler}`,
  ),
];

const labelOf = (i: number): string => ['yes', 'no', 'perhaps'][i % 3] ?? '';

/** As a spreadsheet or a library writes a field. */
const field = (text: string, { quoting, delimiter }: Written): string => {
  const needs = text.includes('"') || text.includes('\n') || text.includes(delimiter) || text !== text.trim();
  return quoting === 'all' || (quoting === 'minimal' && needs) ? `"${text.replaceAll('"', '""')}"` : text;
};

const encoded = (text: string, { encoding, packed }: Written): Uint8Array => {
  const marked = encoding === 'utf-8' || encoding.endsWith('without a mark') ? text : `\ufeff${text}`;
  const bytes = encoding.startsWith('utf-8') ? Buffer.from(marked) : Buffer.from(marked, 'utf16le');
  const ordered = encoding === 'utf-16be' ? bytes.swap16() : bytes;
  return packed ? gzipSync(ordered) : ordered;
};

const write = (space: Workspace, file: Written): string => {
  const row = (cells: readonly string[]): string => (file.reversed ? cells.toReversed() : cells).join(file.delimiter);
  const rows = [['text', 'label'], ...textsOf(file).map((text, i) => [text, labelOf(i)])];
  const lines = rows.map((cells) => row(cells.map((text) => field(text, file))));
  const text = `${lines.join('\n')}\n`.replaceAll('\n', file.lineEnd);
  return space.write('data.csv', encoded(text, file));
};

/** A field that stands in quotes from end to end means the same with them and without, where nothing says which. */
const unquoted = (text: string): string => {
  const inner = /^"((?:[^"]|"")*)"$/.exec(text.trim())?.[1];
  return (inner === undefined ? text : inner.replaceAll('""', '"')).trim();
};

const configOf = ({ uses, table, text, label }: DataGuess) =>
  dataSchema.parse({ uses, file: 'data.csv', text, label, ...table });

const readAll = async (space: Workspace, guess: DataGuess): Promise<ReadonlyMap<string, string>> => {
  expect(await check(configOf(guess), space.folder)).toEqual([]);
  const { dataset } = await load(configOf(guess), space.folder);
  const all = [...dataset.train, ...dataset.validation, ...dataset.test];
  return new Map(all.map((example) => [unquoted(example.text), dataset.classes[classOf(example)] ?? '']));
};

/** What cannot be decided is refused, never read in one of two ways. */
const undecided = new Set(['two-quotings', 'two-delimiters', 'stray-quote', 'open-quote', 'unequal-row']);

describe('a table of text', () => {
  it('in any dialect and encoding, with any cells, is read as it was written, or refused', async () => {
    let [accepted, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(written, async (file) => {
        using space = workspace();
        const expected = new Map(textsOf(file).map((text, i) => [unquoted(text), labelOf(i)]));
        let guess: DataGuess;
        try {
          guess = await sniff(write(space, file));
        } catch (error) {
          expect(error).toMatchObject({ kind: 'data' });
          const { code } = error as UserError;
          expect(undecided).toContain(code);
          // What a library wrote with quotes is in order: only another reading of it can be in the way.
          if (file.quoting !== 'none') expect(code).toMatch(/^two-/);
          refused++;
          return;
        }
        accepted++;
        expect(await readAll(space, guess)).toEqual(expected);
      }),
      { numRuns: 50, seed: 7 },
    );
    expect(accepted).toBeGreaterThan(2 * refused);
  });
});
