import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { root } from '../rig/build.ts';
import { decant } from '../rig/cli.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

const lines = (count: number, row: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => `${row(i)}\n`).join('');

const label = (i: number): string => (i % 3 === 0 ? 'no' : 'yes');

/** What init and then validate say; validate only of what init wrote. */
const both = async (space: Workspace, name: string, content: string | Uint8Array, ...more: readonly string[]) => {
  space.write(name, content);
  const init = await decant(['init', '--overwrite', '--data', name, ...more], { cwd: space.folder });
  if (init.code !== 0) return { said: init.stderr, valid: '' };
  const { stdout, stderr } = await decant(['validate'], { cwd: space.folder });
  return { said: init.stdout, valid: stderr + stdout };
};

describe('decant init', () => {
  it.each([
    [
      'glue.tsv',
      `text\tlabel\n${lines(90, (i) => `${i % 2 ? '' : '"'}text ${i}${i % 2 ? '"' : ''}\t${label(i)}`)}`,
      'Quotes are plain characters in this file.',
    ],
    ['headerless.csv', lines(90, (i) => `text ${i},${label(i)}`), 'The first row is no header: columns are numbered.'],
    [
      'excel.csv',
      `sep=;\r\nText (a, b, c);Label\r\n${lines(90, (i) => `x, ${i};${label(i)}\r`)}`,
      'texts from column "Text (a, b, c)"',
    ],
    [
      'utf16.csv.gz',
      gzipSync(Buffer.from(`\ufefftext,label\n${lines(90, (i) => `é ${i},${label(i)}`)}`, 'utf16le')),
      'classes from column "label"',
    ],
    [
      'list.json',
      JSON.stringify(
        Array.from({ length: 90 }, (_, i) => ({ text: `t ${i}`, label: label(i) })),
        null,
        1,
      ),
      'classes from column "label"',
    ],
    [
      'long.csv',
      `text,label\n${lines(3000, (i) => `"${'words and '.repeat(15)}\n${i}",${label(i)}`)}`,
      'classes from column "label"',
    ],
    [
      'split.csv',
      `text,label,split\n${lines(90, (i) => `t ${i},${label(i)},${['train', 'dev', 'test'][(i >> 2) % 3]}`)}`,
      'classes from column "label", splits from column "split".',
    ],
    [
      'holes.csv',
      `text,label\n${lines(90, (i) => `t ${i},${i % 9 === 4 ? 'NaN' : label(i)}`)}`,
      "10 rows are left out: holes.csv:6: the label is 'NaN'",
    ],
    [
      'case.csv',
      `text,label\n${lines(90, (i) => `t ${i},${['Yes', 'yes', 'no'][i % 3]}`)}`,
      "'Yes', 'yes' are 2 classes: give them one name if they are the same.",
    ],
  ])('writes for %s what validate accepts, and says what it saw', async (name, content, said) => {
    using space = workspace();
    const result = await both(space, name, content);
    expect(result.said).toContain(said);
    expect(result.valid).toMatch(/^pipeline\.yaml is valid/);
  });

  it('says what it read and what it left out, and trains by updates where texts are few', async () => {
    using space = workspace();
    space.write('more.csv', `id,text,label\n${lines(40, (i) => `${i},text ${i + 80},${label(i)}`)}`);
    const table = `id,text,label\n${lines(90, (i) => `${i},text ${i},${label(i)}`)}`;
    const { said, valid } = await both(space, 'first.csv', table, 'more.csv');
    expect(said.split('\n').slice(0, 3)).toEqual([
      'Wrote pipeline.yaml: texts from column "text", classes from column "label".',
      'Read 120 texts: 96 to train on, 12 to validate, 12 to test.',
      "Left out: column 'id'; 10 repeated texts, 7 of them with another label than the first.",
    ]);
    expect(valid).toMatch(/^pipeline\.yaml is valid/);
    const written = readFileSync(space.path('pipeline.yaml'), 'utf8');
    expect(written).toMatch(/^# yaml-language-server: \$schema=(.*pipeline\.schema\.json)\n/);
    const [, schema = ''] = /schema=(.*)/.exec(written) ?? [];
    expect(JSON.parse(readFileSync(space.path(schema), 'utf8'))).toHaveProperty('$schema');
    expect(written).toContain('file: [first.csv, more.csv]');
    expect(written.match(/steps: 600 .*\n {4}batch: 16\n {4}patience: 20 /g)?.length).toBe(2);
    expect(written).not.toContain('epochs: ');
    await both(space, 'large.csv', `text,label\n${lines(16_000, (i) => `text ${i},${label(i)}`)}`);
    expect(readFileSync(space.path('pipeline.yaml'), 'utf8')).toMatch(/epochs: 4\n[\s\S]*epochs: 3\n/);
  });

  it('takes folders of text files: a folder a class, classes below splits, or texts alone', async () => {
    using space = workspace();
    for (let i = 0; i < 60; i++) {
      const [where, text] = [`${i % 2 === 0 ? 'good' : 'bad'}/${i}.txt`, `text ${i}`];
      space.write(`reviews/${where}`, text);
      space.write(`parted/${i < 40 ? 'train' : 'test'}/${where}`, text);
      space.write(`flat/${i}.txt`, text);
    }
    const of = async (folder: string): Promise<readonly string[]> => {
      const init = await decant(['init', folder, '--overwrite'], { cwd: space.folder });
      const valid = await decant(['validate'], { cwd: space.folder });
      const lines = readFileSync(space.path('pipeline.yaml'), 'utf8').split('\n');
      const at = lines.indexOf('  uses: folder');
      return [...init.stdout.split('\n').slice(0, 2), ...lines.slice(at + 1, at + 3), init.stderr + valid.stderr];
    };
    expect(await of('reviews')).toEqual([
      'Wrote pipeline.yaml: texts from .txt files, classes from their folders.',
      'Read 60 texts: 48 to train on, 6 to validate, 6 to test.',
      '  folder: reviews                # .txt files: a folder a class, 2 of them',
      expect.stringContaining('# validation and test texts are split off'),
      '',
    ]);
    expect(await of('parted')).toEqual([
      'Wrote pipeline.yaml: texts from .txt files, classes from their folders, splits from the folders above them.',
      'Read 60 texts: 36 to train on, 4 to validate, 20 to test.',
      '  test: parted/test',
      '  train: parted/train',
      '',
    ]);
    expect(await of('flat')).toEqual([
      'Wrote pipeline.yaml: texts from .txt files, no classes.',
      'Read 60 texts: 48 to train on, 6 to validate, 6 to test.',
      '  folder: flat                # .txt files: texts at any depth',
      '  task: features              # no classes',
      '',
    ]);
  });

  it('writes what texts alone are for, with a teacher for it', async () => {
    using space = workspace();
    const texts = lines(90, (i) => JSON.stringify({ text: `t ${i}` }));
    const masked = await both(space, 'texts.jsonl', texts, '--task', 'fill-mask');
    expect([masked.said, masked.valid]).toEqual([
      expect.stringContaining('texts from column "text", no classes'),
      expect.stringMatching(/^pipeline\.yaml is valid/),
    ]);
    const written = readFileSync(space.path('pipeline.yaml'), 'utf8');
    expect(written).toContain('task: fill-mask ');
    expect(written).toContain('architecture:');
    expect(written).not.toMatch(/uses: import|criterion/);
    const vectors = await both(space, 'texts.jsonl', texts);
    expect(vectors.valid).toMatch(/^pipeline\.yaml is valid/);
    expect(readFileSync(space.path('pipeline.yaml'), 'utf8')).toContain('task: features ');
    const labelled = `text,label\n${lines(90, (i) => `t ${i},${label(i)}`)}`;
    expect((await both(space, 'labels.csv', labelled, '--task', 'fill-mask')).valid).toMatch(
      /^pipeline\.yaml is valid/,
    );
    expect((await both(space, 'labels.csv', labelled, '--task', 'fill-mask', '--label', 'label')).said).toBe(
      'labels.csv: --task fill-mask reads no classes; leave --label out, or --task\n',
    );
  });

  it.each([
    [
      'odd.csv',
      lines(90, (i) => `a sentence of some words ${i},x${i}`),
      'odd.csv: the first row may be names or the first text',
    ],
    ['book.xlsx', 'PK\x03\x04', 'book.xlsx is a ZIP file (so are .xlsx'],
    [
      'swallow.csv',
      `text,label\n${lines(90, (i) => `t ${i},${label(i)}`)}"a,no\nb",yes\n`,
      'swallow.csv:92: a double quote begins a field that goes over 2 lines if quotes quote',
    ],
    [
      'late.csv',
      `text,label\n${lines(5000, (i) => `t ${i},${label(i)}`)}one,two,three\n`,
      'late.csv:5002: the row has 3 fields, the header 2',
    ],
  ])('refuses %s with what to do', async (name, content, said) => {
    using space = workspace();
    expect((await both(space, name, content)).said).toContain(said);
  });
});

describe('decant validate', () => {
  const pipeline = (labels: string): string =>
    `name: classifier\ndata: { uses: csv, file: ${labels}.csv, maxLength: 16 }\nbaseline: none\n` +
    `stages:\n  - { id: teacher, uses: import, model: ${root}test/golden/checkpoints/bert }\n`;
  const table = (names: readonly string[]) =>
    `text,label\n${lines(120, (i) => `text ${i},${names[i % names.length]}`)}`;

  it('says of a classifier which classes the data lacks, and refuses one that lacks classes of the data', async () => {
    using space = workspace();
    space.write('two.csv', table(['animal', 'travel']));
    space.write('other.csv', table(['Animal', 'travel']));
    space.write('two.yaml', pipeline('two'));
    space.write('other.yaml', pipeline('other'));
    const two = await decant(['validate', 'two.yaml'], { cwd: space.folder });
    expect([two.stderr, two.stdout]).toEqual([
      '',
      'two.yaml is valid: "classifier", 1 stage, 5 steps.\n' +
        "teacher: the checkpoint also classifies into money, which the data does not have: it chooses among the data's 2 classes alone.\n",
    ]);
    const other = await decant(['validate', 'other.yaml'], { cwd: space.folder });
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("'animal' there is 'Animal' here")]);
  });
});
