import { spawnSync } from 'node:child_process';
import { existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../pipeline/execute/failure.ts';
import { root } from '../rig/build.ts';
import { decant, tinyCsv, tinyPipeline } from '../rig/cli.ts';
import { isLate } from '../rig/effort.ts';
import { workspace } from '../rig/workspace.ts';

/** A second on an idle machine; tests share theirs with each other. */
const SOON_SECONDS = 5;

describe('wrong requests exit 2 before anything runs', () => {
  it('shows the problem of a file at its place', async () => {
    using space = workspace();
    space.write('tiny.csv', tinyCsv());
    space.write('pipeline.yaml', tinyPipeline.replace('epochs: 4', 'epoch: 4'));
    for (const command of ['run', 'validate', 'plan']) {
      const { code, stderr, stdout, seconds } = await decant([command], { cwd: space.folder });
      expect([code, stdout]).toEqual([2, '']);
      expect(isLate(seconds, SOON_SECONDS)).toBe(false);
      expect(stderr).toBe(`pipeline.yaml:7:33: unknown option "epoch" of stage "teacher" (train) [unknown-key]
  7 |   - { id: teacher, uses: train, epoch: 4, batch: 16 }
    |                                 ^^^^^
    = did you mean "epochs"?

1 problem; nothing was run.
`);
    }
  });

  it.each([
    [['run', 'missing.yaml'], /^missing\.yaml: no such file\. Name a pipeline file, or write one for your data/],
    [['run', '.'], /is a folder; expected a pipeline file/],
    [['rnu'], /unknown command 'rnu'\n\(Did you mean run\?\)/],
    [['run', '--thread', '2'], /unknown option '--thread'\n\(Did you mean --threads\?\)/],
    [['run', '--threads', 'many'], /Expected a whole number from 1 to 1024/],
    [['run', '--threads', '0'], /Expected a whole number from 1 to 1024/],
    [['run', '--store', ''], /argument '' is invalid\. Expected the path of a folder; found an empty text/],
    [['run', '--out', ' '], /argument ' ' is invalid\. Expected the path of a folder; found an empty text/],
    [['inspect', 'missing.onnx'], /^missing\.onnx: no such file or folder; expected a model/],
    [['inspect', '.'], /^\. holds no model: expected/],
    [['predict', '.', 'a text'], /^\. holds no model: expected/],
    [['inspect'], /missing required argument 'model'/],
    [['predict', 'missing', 'a text'], /^missing: no such folder; expected a model folder/],
    [['init', '--data', 'missing.csv'], /^missing\.csv: no such file; expected a file of texts: CSV, JSON Lines/],
    [['init'], /^name a file of texts, or a folder of them: decant init FILE\.\.\.\n$/],
    [['validate', 'a.yaml', 'b.yaml'], /too many arguments/],
  ])('%j', async (args, message) => {
    using space = workspace();
    const { code, stderr, stdout } = await decant(args, { cwd: space.folder });
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([2, '']);
  });

  it.each([
    [['predict', 'runs/ticket/deploi', 'a text'], 'runs/tickets/deploy'],
    [['report', 'run/tickets'], 'runs/tickets'],
    [['inspect', 'runs/tickets/deploy/model.onxx'], 'runs/tickets/deploy/model.onnx'],
    [['validate', 'pipelin.yaml'], 'pipeline.yaml'],
    [['init', 'reviws.csv'], 'reviews.csv'],
    [['validate', 'other.yaml'], 'reviews.csv'],
  ])('%j names the path of a near name', async (args, near) => {
    using space = workspace();
    space.write('runs/tickets/deploy/model.onnx', '');
    space.write('reviews.csv', tinyCsv());
    space.write('pipeline.yaml', tinyPipeline);
    space.write('other.yaml', tinyPipeline.replace('tiny.csv', 'review.csv'));
    const { code, stderr } = await decant(args, { cwd: space.folder });
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`; did you mean \\S*${near}\\?`));
  });

  it('names the nearest stage of --until and --force', async () => {
    using space = workspace();
    space.write('tiny.csv', tinyCsv());
    space.write('pipeline.yaml', tinyPipeline);
    const { code, stderr } = await decant(['run', '--until', 'techer'], { cwd: space.folder });
    expect(code).toBe(2);
    expect(stderr).toBe(`--until:1:9: there is no stage "techer" [unknown-stage]
  1 | --until techer
    |         ^^^^^^
    = did you mean "teacher"?

1 problem; nothing was run.
`);
  });

  it('says that a store or a folder of results cannot be written', async () => {
    using space = workspace();
    space.write('tiny.csv', tinyCsv());
    space.write('pipeline.yaml', tinyPipeline);
    for (const option of ['--store', '--out']) {
      const { code, stderr } = await decant(['run', option, 'tiny.csv/below'], { cwd: space.folder });
      expect(code).toBe(2);
      expect(stderr).toContain(
        `tiny.csv/below cannot be written: a file is in the way. Name another folder with ${option}.`,
      );
    }
  });
});

describe('output that cannot be written', () => {
  const full = '/dev/full';
  it.skipIf(!existsSync(full))('is said once and fails the command', () => {
    const args = [`${root}bin/decant.js`, 'validate', 'pipeline.yaml'];
    const stdio = ['ignore', openSync(full, 'w'), 'pipe'] as const;
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', stdio: [...stdio] });
    expect([status, stderr]).toEqual([
      1,
      'standard output cannot be written: ENOSPC: no space left on device, write\n',
    ]);
  });

  it.each([
    ['ENOSPC', 'the disk is full (found): free some space or name another folder with --store or --out'],
    ['EACCES', 'a file cannot be written or read (found): change its permissions, or name another folder with'],
    ['EISDIR', 'a file cannot be written or read (found): a folder is in the way, or name another folder with'],
  ])('for %s says what to do', (code, message) => {
    expect(failureOf(Object.assign(new Error('found'), { code }))).toMatchObject({
      theirs: true,
      message: expect.stringContaining(message),
    });
  });
});

describe('help and small commands', () => {
  it.each(['run', 'validate', 'plan', 'inspect', 'init', 'predict', 'diff', 'schema'])(
    '%s --help has examples',
    async (command) => {
      const { code, stdout } = await decant([command, '--help']);
      expect(code).toBe(0);
      expect(stdout).toContain('Examples:\n  $ ');
    },
  );

  it('prints its version', async () => {
    const { stdout } = await decant(['--version']);
    expect(stdout.trim()).toBe(JSON.parse(readFileSync(`${root}package.json`, 'utf8')).version);
  });

  it('keeps pipeline.schema.json up to date', async () => {
    const { stdout } = await decant(['schema']);
    expect(stdout).toBe(readFileSync(`${root}pipeline.schema.json`, 'utf8'));
  });

  it('accepts every pipeline that the repository ships', async () => {
    const examples = existsSync(`${root}examples`) ? readdirSync(`${root}examples`) : [];
    const files = examples.filter((name) => name.endsWith('.yaml')).map((name) => `examples/${name}`);
    for (const file of ['pipeline.yaml', ...files]) {
      const { code, stdout, stderr } = await decant(['validate', file]);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain(`${file} is valid`);
    }
  });

  it('writes a pipeline for a table that validates as it is', async () => {
    using space = workspace();
    space.write('my reviews.csv', tinyCsv().replace('text,label', 'body,"stars; 1"').replaceAll(',food', ',"a, b"'));
    const init = await decant(['init', '--data', 'my reviews.csv'], { cwd: space.folder });
    expect(init.stderr).toBe('');
    expect(init.stdout).toContain('Wrote pipeline.yaml: texts from column "body", classes from column "stars; 1".');
    const valid = await decant(['validate'], { cwd: space.folder });
    expect(valid.stderr).toBe('');
    expect(valid.stdout).toBe('pipeline.yaml is valid: "my-reviews", 6 stages, 16 steps.\n');
    const again = await decant(['init', '--data', 'my reviews.csv'], { cwd: space.folder });
    expect([again.code, again.stderr]).toEqual([
      2,
      'pipeline.yaml exists; name another file with --out, or add --overwrite\n',
    ]);
  });

  it('writes a pipeline for pairs, for Parquet and for texts without classes', async () => {
    using space = workspace();
    space.write('nli.parquet', readFileSync(`${root}test/golden/reviews.parquet`));
    space.write('lines.jsonl', Array.from({ length: 60 }, (_, i) => `{"id":${i},"body":"line ${i}"}\n`).join(''));
    const init = async (...args: readonly string[]) =>
      decant(['init', '--overwrite', '--data', ...args], { cwd: space.folder });
    const valid = async () => (await decant(['validate'], { cwd: space.folder })).stdout;
    const nli = await init('nli.parquet');
    expect([nli.stderr, nli.stdout.split('\n')[0]]).toEqual([
      '',
      'Wrote pipeline.yaml: pairs from columns "premise" and "hypothesis", classes from column "label".',
    ]);
    expect(await valid()).toContain('pipeline.yaml is valid: "nli", 6 stages');
    expect((await init('lines.jsonl')).stderr).toBe(
      "lines.jsonl: which column is the label? no column repeats a few values; name it with --label (columns: 'id', 'body'), or write --no-label where texts have no classes\n",
    );
    const lines = await init('lines.jsonl', '--no-label');
    expect([lines.stderr, lines.stdout.split('\n')[0]]).toEqual([
      '',
      'Wrote pipeline.yaml: texts from column "body", no classes.',
    ]);
    expect(await valid()).toContain('pipeline.yaml is valid: "lines", 5 stages');
  });

  it('writes a pipeline for columns with line breaks and commas in their names', async () => {
    using space = workspace();
    const rows = Array.from({ length: 60 }, (_, i) => `a sentence of number ${i},another one of ${i},${i % 2}\n`);
    space.write('odd.csv', `"first\ntext","second, text","the\nclass"\n${rows.join('')}`);
    const columns = ['--text', 'first\ntext', '--pair', 'second, text', '--label', 'the\nclass'];
    const init = await decant(['init', '--data', 'odd.csv', ...columns], { cwd: space.folder });
    expect([init.code, init.stderr]).toEqual([0, '']);
    const valid = await decant(['validate'], { cwd: space.folder });
    expect([valid.stderr, valid.stdout]).toEqual(['', 'pipeline.yaml is valid: "odd", 6 stages, 16 steps.\n']);
  });

  it('survives a reader that goes away', async () => {
    const { code, stderr } = await decant(['schema'], { onText: (_, child) => child.stdout?.destroy() });
    expect([code, stderr]).toEqual([0, '']);
  });
});
