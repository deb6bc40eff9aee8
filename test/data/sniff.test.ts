import { describe, expect, it } from 'vitest';
import { sniffCsv } from '../../data/datasets/sniff.ts';
import { workspace } from '../rig/workspace.ts';

const rows = (count: number, row: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => `${row(i)}\n`).join('');

describe('sniffCsv', () => {
  it('finds delimiter, text and label by what the columns hold', async () => {
    using space = workspace();
    const content = `nr;wording;verdict\n${rows(50, (i) => `${i};this is sentence number ${i};${i % 2 ? 'good' : 'bad'}`)}`;
    expect(await sniffCsv(space.write('data.csv', content))).toEqual({
      delimiter: ';',
      columns: ['nr', 'wording', 'verdict'],
      text: 'wording',
      label: 'verdict',
      classes: ['bad', 'good'],
      rows: 50,
    });
  });

  it('trusts telling names more than lengths', async () => {
    using space = workspace();
    const row = (i: number) => `short ${i}\t${'long address '.repeat(9)}${i}\t${i % 5}\t${i % 2}`;
    const guess = await sniffCsv(space.write('data.tsv', `Text\taddress\tCategory\tflag\n${rows(40, row)}`));
    expect([guess.delimiter, guess.text, guess.label]).toEqual(['\t', 'Text', 'Category']);
  });

  it('reads only the start of a large file and leaves out the row that is cut', async () => {
    using space = workspace();
    const content = `text,label\n${rows(40_000, (i) => `"a text, number ${i}",c${i % 3}`)}`;
    const guess = await sniffCsv(space.write('data.csv', content));
    expect(guess.classes).toEqual(['c0', 'c1', 'c2']);
    expect(guess.rows).toBeGreaterThan(1000);
    expect(guess.rows).toBeLessThan(40_000);
  });

  it('admits that nothing looks like a label', async () => {
    using space = workspace();
    const guess = await sniffCsv(space.write('data.csv', `text,id\n${rows(40, (i) => `some text ${i},${i}`)}`));
    expect([guess.text, guess.label, guess.classes]).toEqual(['text', undefined, []]);
  });

  it('takes an empty file', async () => {
    using space = workspace();
    const guess = await sniffCsv(space.write('data.csv', ''));
    expect([guess.columns, guess.text, guess.rows]).toEqual([[], undefined, 0]);
  });
});
