import { describe, expect, it } from 'vitest';
import { sniff } from '../../data/datasets/sniff.ts';
import { workspace } from '../rig/workspace.ts';
import { root } from './corpus.ts';

const rows = (count: number, row: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => `${row(i)}\n`).join('');

describe('sniffing a file', () => {
  it('finds delimiter, text and label by what the columns hold', async () => {
    using space = workspace();
    const content = `nr;wording;verdict\n${rows(50, (i) => `${i};this is sentence number ${i};${i % 2 ? 'good' : 'bad'}`)}`;
    expect(await sniff(space.write('data.csv', content))).toEqual({
      uses: 'csv',
      table: { delimiter: ';' },
      columns: ['nr', 'wording', 'verdict'],
      text: 'wording',
      pair: undefined,
      label: 'verdict',
      numbers: ['nr'],
      split: undefined,
      classes: ['bad', 'good'],
      rows: 50,
    });
  });

  it('trusts telling names more than lengths', async () => {
    using space = workspace();
    const row = (i: number) => `short ${i}\t${'long address '.repeat(9)}${i}\t${i % 5}\t${i % 2}`;
    const guess = await sniff(space.write('data.tsv', `Text\taddress\tCategory\tflag\n${rows(40, row)}`));
    expect([guess.table.delimiter, guess.text, guess.label]).toEqual(['\t', 'Text', 'Category']);
  });

  it('reads only the start of a large file and leaves out the row that is cut', async () => {
    using space = workspace();
    const content = `text,label\n${rows(40_000, (i) => `"a text, number ${i}",c${i % 3}`)}`;
    const guess = await sniff(space.write('data.csv', content));
    expect(guess.classes).toEqual(['c0', 'c1', 'c2']);
    expect(guess.rows).toBeGreaterThan(1000);
    expect(guess.rows).toBeLessThan(40_000);
  });

  it('admits that nothing looks like a label', async () => {
    using space = workspace();
    const guess = await sniff(space.write('data.csv', `text,id\n${rows(40, (i) => `some text ${i},${i}`)}`));
    expect([guess.text, guess.label, guess.classes]).toEqual(['text', undefined, []]);
  });

  it('takes an empty file', async () => {
    using space = workspace();
    const guess = await sniff(space.write('data.csv', ''));
    expect([guess.columns, guess.text, guess.rows]).toEqual([[], undefined, 0]);
  });

  it.each([
    ['premise', 'hypothesis'],
    ['sentence1', 'sentence2'],
    ['text_a', 'text_b'],
    ['question', 'passage'],
  ])('knows the pair of %s and %s', async (first, second) => {
    using space = workspace();
    const row = (i: number) =>
      JSON.stringify({ idx: i, [second]: `b ${i}`, [first]: `a ${i}`, label: i % 2, more: [i] });
    const guess = await sniff(space.write('data.jsonl', rows(40, row)));
    expect([guess.uses, guess.text, guess.pair, guess.label]).toEqual(['jsonl', first, second, 'label']);
    expect(guess.columns).toEqual(['idx', second, first, 'label']);
  });

  it('reads the names of classes in Parquet', async () => {
    const guess = await sniff(`${root}/test/golden/reviews.parquet`);
    expect(guess).toEqual({
      uses: 'parquet',
      table: {},
      columns: ['premise', 'hypothesis', 'label'],
      text: 'premise',
      pair: 'hypothesis',
      label: 'label',
      split: undefined,
      classes: ['contradiction', 'entailment', 'neutral'],
      rows: 200,
    });
  });

  it.each([
    ['text,text,label', 'a,b,c', "the column 'text' appears more than once (columns 1, 2)"],
    ['x,label,y,label', 'a,b,c,d', "the column 'label' appears more than once (columns 2, 4)"],
    ['text,label,x,x', 'a,b,c,d', "the column 'x' appears more than once (columns 3, 4)"],
  ])('refuses %s: two columns of one name', async (header, row, said) => {
    using space = workspace();
    const file = space.write('data.csv', `${header}\n${rows(40, (i) => row.replaceAll(/,\w/g, `$&${i % 2}`))}`);
    await expect(sniff(file)).rejects.toThrow(`${file}: ${said}; rename all but one`);
  });

  it('takes for columns of JSON Lines what any of the first objects has', async () => {
    using space = workspace();
    const row = (i: number) =>
      JSON.stringify(i % 10 === 0 ? { text: `t ${i}` } : { label: `c${i % 3}`, text: `t ${i}` });
    const guess = await sniff(space.write('data.jsonl', rows(90, row)));
    expect([guess.columns, guess.text, guess.label]).toEqual([['text', 'label'], 'text', 'label']);
  });

  it.each([
    ['3,5', (i: number) => `${i % 10},${i % 7}`],
    ['1.234,5', (i: number) => `1.${100 + i},5`],
  ])('takes numbers such as %s for numbers, not for two classes', async (_, number) => {
    using space = workspace();
    const guess = await sniff(space.write('data.csv', `text;score\n${rows(90, (i) => `text ${i};${number(i)}`)}`));
    expect([guess.label, guess.numbers, guess.decimalComma, guess.sets]).toEqual(['score', ['score'], true, undefined]);
  });

  it.each([
    ['Train', 'TRAIN', 'hold-out', 'test'],
    ['training set', 'dev set', 'Test_Set', 'held out'],
    ['train1', 'valid', 'test-a', 'test'].map((name) => name.replace('-a', '')),
  ])('takes a column of %s, %s, %s and %s for the splits, whatever it is called', async (...names) => {
    using space = workspace();
    for (const column of ['split', 'set', 'usage', 'group', 'which']) {
      const row = (i: number) => `text ${i},${i % 3 ? 'yes' : 'no'},${names[(i >> 2) % 4]}`;
      const guess = await sniff(space.write('data.csv', `text,label,${column}\n${rows(90, row)}`));
      expect([guess.split, guess.label]).toEqual([column, 'label']);
    }
  });

  it.each(['^', '~', ':', '/', '#', '\u0001', '\u001f', '=', '§'])('sees that %j may part columns', async (mark) => {
    using space = workspace();
    const row = (i: number) => `some text number ${i}${mark}${i % 2 ? 'yes' : 'no'}`;
    const guess = await sniff(space.write('data.csv', `text${mark}label\n${rows(40, row)}`));
    expect([guess.columns, guess.separator]).toEqual([[`text${mark}label`], mark]);
  });

  it('takes no mark of a text for one that parts columns', async () => {
    using space = workspace();
    const row = (i: number) => `some text: number ${i}${i % 7 === 0 ? ' and: more' : ''}`;
    const guess = await sniff(space.write('data.csv', `text\n${rows(40, row)}`));
    expect([guess.columns, guess.separator]).toEqual([['text'], undefined]);
  });

  it('reads JSON for what it is, whatever the file is called', async () => {
    using space = workspace();
    const row = (i: number) => JSON.stringify({ text: `t ${i}`, label: `c${i % 3}` });
    const list = `[${Array.from({ length: 40 }, (_, i) => row(i)).join(',')}]`;
    for (const content of [rows(40, row), list, `\ufeff${rows(40, row)}`]) {
      const guess = await sniff(space.write('data.csv', content));
      expect([guess.uses, guess.text, guess.label]).toEqual(['jsonl', 'text', 'label']);
    }
  });

  it.each([',', ';', '\t'])('reads fields in single quotes with %j between them', async (delimiter) => {
    using space = workspace();
    const row = (i: number) => `'a text, and; more ${i}'${delimiter}'${i % 2 ? 'yes' : 'no'}'`;
    const guess = await sniff(space.write('data.csv', `'text'${delimiter}'label'\n${rows(40, row)}`));
    expect([guess.table, guess.columns, guess.classes]).toEqual([
      { delimiter, quote: "'" },
      ['text', 'label'],
      ['no', 'yes'],
    ]);
  });

  it('tells where a line of JSON is broken', async () => {
    using space = workspace();
    await expect(sniff(space.write('data.jsonl', '{"text":"a"}\n{"text"\n'))).rejects.toThrow(/data\.jsonl:2: /);
  });
});
