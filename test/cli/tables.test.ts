import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { progressLine } from '../../pipeline/view/progress-line.ts';
import { root } from '../rig/build.ts';
import { decant } from '../rig/cli.ts';
import { writeSmallModels } from '../rig/small-models.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
const words = ['cat', 'dog', 'runs', 'sleeps', 'the', 'old', 'small'];
/** More rows than are in memory at a time, of many lengths, so that batches mix them. */
const rows = Array.from({ length: 1500 }, (_, i) => ({
  id: `${i}`,
  text: Array.from({ length: 1 + (i % 5) }, (_, w) => words[(i * 3 + w * 5) % 7]).join(' '),
  note: i % 3 === 0 ? 'a "quoted", note' : 'line\nbreak',
}));

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

beforeAll(async () => {
  await writeSmallModels(space);
  const lines = rows.map(({ id, text, note }) => `${id},${text},${quoted(note)}\n`);
  space.write('rows.csv', `id,text,note\n${lines.join('')}`);
  space.write(
    'rows.jsonl',
    rows.map((row, i) => `${JSON.stringify({ ...row, tags: [i, { deep: true }] })}\n`).join(''),
  );
});
afterAll(() => space[Symbol.dispose]());

const run = (...args: readonly string[]) => decant(args, { cwd: space.folder });
const read = (file: string): string => readFileSync(space.path(file), 'utf8');

interface Said {
  readonly label: string;
  readonly probability: number;
}

/** What predict says of the same texts by itself. */
const expected = async (): Promise<readonly Said[]> => {
  const input = rows.map(({ text }) => text).join('\n');
  const { stdout } = await decant(['predict', 'student', '--json'], { cwd: space.folder, input });
  return JSON.parse(stdout);
};

/** A text's batch is another one there, and floats are summed in another order. */
const DIGITS = 5;

describe('predict --data', () => {
  it('answers every row of a table in its order, and leaves the other columns as they are', async () => {
    const { code, stdout } = await run('predict', 'student', '--data', 'rows.csv', '--text', 'text', '--out', 'a.csv');
    expect([code, stdout]).toEqual([0, 'a.csv: 1500 rows\n']);
    const answered: Record<string, string>[] = parse(read('a.csv'), { columns: true });
    expect(answered.map(({ id, text, note }) => ({ id, text, note }))).toEqual(rows);
    const said = await expected();
    expect(answered.map(({ prediction }) => prediction)).toEqual(said.map(({ label }) => label));
    for (const [i, { probability }] of answered.entries())
      expect(Number(probability)).toBeCloseTo(said[i]?.probability ?? -1, DIGITS);
  });

  it('keeps whatever a line of JSON holds, and writes JSON Lines of a CSV', async () => {
    await run('predict', 'student', '--data', 'rows.jsonl', '--text', 'text', '--out', 'a.jsonl');
    const lines = read('a.jsonl')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ prediction: _, probability: __, ...row }) => row)).toEqual(
      rows.map((row, i) => ({ ...row, tags: [i, { deep: true }] })),
    );
    await run('predict', 'student', '--data', 'rows.csv', '--text', 'text', '--out', 'b.jsonl');
    const others = read('b.jsonl')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(others.map(({ prediction }) => prediction)).toEqual(lines.map(({ prediction }) => prediction));
  });

  it('says which rows have no text, and answers the others', async () => {
    space.write('gaps.csv', 'text,n\nthe cat,1\n,2\na dog,3\n');
    const { code, stderr } = await run(
      'predict',
      'student',
      '--data',
      'gaps.csv',
      '--text',
      'text',
      '--out',
      'gaps.out.csv',
    );
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('gaps.csv:3 has no text (1 rows in all); it has no answer\n'),
    ]);
    const [header, one, none, other] = read('gaps.out.csv').split('\n');
    expect([header, none]).toEqual(['text,n,prediction,probability', ',2,,']);
    expect([one, other].every((line) => /,(?:animal|motion|rest),0\.\d+$/.test(line ?? ''))).toBe(true);
  });

  it('names a row that it cannot ask about when its turn has come: those before its thousand are answered', async () => {
    const lines = rows.map((row, i) => JSON.stringify(i === 1199 ? { ...row, text: 7 } : row));
    space.write('late.jsonl', `${lines.join('\n')}\n`);
    const { code, stderr } = await run(
      ...['predict', 'student', '--data', 'late.jsonl', '--text', 'text', '--out', 'late.out.jsonl'],
    );
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('late.jsonl:1200: the column "text" holds a number; expected a text'),
    ]);
    const answered = read('late.out.jsonl').trim().split('\n');
    expect(answered.map((line) => JSON.parse(line).id)).toEqual(rows.slice(0, 1024).map(({ id }) => id));
  });

  it('tells a row that is broken before it writes anything', async () => {
    space.write('broken.csv', `${read('rows.csv')}1,too,many,"fields"\n`);
    const { code, stderr } = await run(
      'predict',
      'student',
      '--data',
      'broken.csv',
      '--text',
      'text',
      '--out',
      'no.csv',
    );
    expect([code, stderr]).toEqual([2, expect.stringContaining('the row has 4 fields, the header 3')]);
    expect(existsSync(space.path('no.csv'))).toBe(false);
  });

  it('leaves whole rows where Ctrl-C ends it', async () => {
    const lines = Array.from({ length: 200_000 }, (_, i) => `${i},${words[i % 7]}\n`);
    space.write('long.csv', `id,text\n${lines.join('')}`);
    const args = ['predict', 'student', '--data', 'long.csv', '--text', 'text', '--out', 'cut.csv'];
    const child = spawn(process.execPath, [`${root}bin/decant.js`, ...args], { cwd: space.folder, stdio: 'ignore' });
    const ended = once(child, 'close');
    while (!existsSync(space.path('cut.csv')) || read('cut.csv') === '') await setTimeout(10);
    child.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    const answered = read('cut.csv');
    expect(answered.endsWith('\n')).toBe(true);
    const written: Record<string, string>[] = parse(answered, { columns: true });
    expect(written.length).toBeLessThan(lines.length);
    expect(written.map(({ id }) => id)).toEqual(written.map((_, i) => `${i}`));
    expect(written.every(({ probability }) => Number(probability) > 0)).toBe(true);
  });

  it.each([
    [['--data', 'rows.csv'], '--data reads a table; name the table to write with --out'],
    [['--data', 'rows.csv', '--out', 'rows.csv'], 'rows.csv exists; name another file with --out, or add --overwrite'],
    [['--data', 'rows.csv', '--out', 'a.xlsx'], 'a.xlsx: expected a name that ends in .csv, .tsv or .jsonl'],
    [['--data', 'rows.csv', '--out', 'x.csv', '--text', 'body'], 'rows.csv: there is no column "body"'],
    [['--data', 'none.csv', '--out', 'x.csv'], 'none.csv: no such file'],
    [['--data', 'rows.csv', '--out', 'x.csv', 'a text'], '--data reads texts from a table; leave texts'],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await run('predict', 'student', ...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('a line of progress', () => {
  const shown = (isTTY: boolean) => {
    let [now, text] = [0, ''];
    const line = progressLine({ isTTY, columns: 60, write: (more) => (text += more) }, () => now);
    for (const [at, done] of [
      [0, 0],
      [50, 1],
      [20_000, 250],
    ] as const) {
      now = at;
      line.show('rows.csv', { done, total: 1000, unit: 'rows' });
    }
    line.clear();
    return text;
  };

  it('says how much is done, how fast, and how long the rest takes', () => {
    expect(shown(false)).toBe('rows.csv: 250 of 1,000 rows, 13 rows/s, 1 m 00 s left\n');
  });

  it('is one line on a terminal, and is taken off it', () => {
    const text = shown(true);
    expect(text).toMatch(/^\r.{0,12}rows\.csv: 250 of 1,000 rows/);
    expect(text.endsWith('\r\u001b[J')).toBe(true);
  });
});
