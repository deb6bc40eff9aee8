import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fullReport, hostile } from '../reports/sample.ts';
import { root } from '../rig/build.ts';
import { decant, type Result } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
const diff = (...args: readonly string[]): Promise<Result> => decant(['diff', ...args], { cwd: space.folder });
const [before, after] = [
  fullReport(),
  {
    ...fullReport(),
    stages: fullReport().stages.map((stage) =>
      stage.id === 'int8' ? { ...stage, quality: stage.quality && { ...stage.quality, score: 0.7 } } : stage,
    ),
  },
];

const git = (...args: readonly string[]): void => {
  const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.invalid', '-c', 'commit.gpgsign=false'];
  execFileSync('git', [...who, ...args], { cwd: space.folder, stdio: 'pipe' });
};

beforeAll(() => {
  space.write('a/report.json', JSON.stringify(before));
  space.write('b/report.json', JSON.stringify(after));
  mkdirSync(space.path('empty'));
  git('init', '-q');
  git('add', 'a');
  git('commit', '-qm', 'a report');
});
afterAll(() => space[Symbol.dispose]());

describe('decant diff', () => {
  it('compares folders, files and commits alike', async () => {
    const results = await Promise.all(
      [
        ['a', 'b'],
        ['a/report.json', 'b'],
        ['git:HEAD:a/report.json', 'b'],
        ['git:HEAD:a', 'b/report.json'],
      ].map(async (args) => diff(...args)),
    );
    for (const { code, stdout, stderr } of results) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^Of 9 comparisons, B is worse in 1: int8 accuracy % -9.7 \[.*unpaired\.\n/s);
    }
  });

  it.each([
    ['md', '## supersense: A against B\n'],
    ['html', '<!doctype html>\n'],
    ['json', '{\n  "schema": "decant.diff/1"'],
  ])('prints %s', async (format, start) => {
    const { code, stdout } = await diff('a', 'b', '--format', format);
    expect({ code, start: stdout.slice(0, start.length) }).toEqual({ code: 0, start });
  });

  it('takes bands inside of which a difference does not matter', async () => {
    const { stdout } = await diff('a', 'b', '--quality-band', '15pt', '--latency-band', '10%');
    expect(stdout).toMatch(/^No difference beyond noise in 9 comparisons/);
    expect(stdout.replace(/\n/g, ' ')).toContain('beyond 10.0 % of latency, 15.0 points of accuracy');
  });

  it('exits 3 when a gate fails, and with --strict when one is undecided', async () => {
    space.write('fails.yaml', 'int8: { bytes: { max: 2MB } }\n');
    space.write('undecided.yaml', 'gates: { int8: { p50: { maxRatio: 1.01, versus: baseline } } }\n');
    space.write('passes.yaml', 'int8: { bytes: { max: 3MB }, accuracy: { maxDrop: 20pt, versus: baseline } }\n');
    const ends = await Promise.all(
      [['fails.yaml'], ['undecided.yaml'], ['undecided.yaml', '--strict'], ['passes.yaml', '--strict']].map(
        async (args) => (await diff('a', 'b', '--gate', ...args)).code,
      ),
    );
    expect(ends).toEqual([3, 0, 3, 0]);
  });

  it('annotates under GitHub Actions without disturbing a document', async () => {
    const env = { ...process.env, GITHUB_ACTIONS: 'true', NO_COLOR: '1' };
    const said = (...args: readonly string[]): Promise<{ readonly out: string; readonly error: string }> =>
      new Promise((done) => {
        const child = spawn(process.execPath, [`${root}bin/decant.js`, 'diff', 'a', 'b', ...args], {
          cwd: space.folder,
          env,
        });
        let [out, error] = ['', ''];
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          out += text;
        });
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          error += text;
        });
        child.on('close', () => done({ out, error }));
      });
    const [text, json] = await Promise.all([said(), said('--format', 'json')]);
    expect(text.out).toMatch(/^::warning title=decant%3A worse::int8 accuracy %25: 79\.7 -> 70\.0/m);
    expect(JSON.parse(json.out)).toMatchObject({ schema: 'decant.diff/1' });
    expect(json.error).toMatch(/^::warning title=decant%3A worse::/);
  });

  it('minds a closed pipe as little as a reader does', async () => {
    const child = spawn(
      'sh',
      ['-c', `"${process.execPath}" "${root}bin/decant.js" diff a b --format html | head -n 1`],
      {
        cwd: space.folder,
      },
    );
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        said += text;
      });
    }
    await new Promise((done) => child.on('close', done));
    expect(said).toBe('<!doctype html>\n');
  });

  it('points at what is wrong in a file of gates', async () => {
    space.write(
      'gates.yaml',
      'int8:\n  acuracy: { min: 70% }\n  bytes: { maxx: 2MB }\nintt8: { bytes: { max: two } }\n',
    );
    const { code, stdout, stderr } = await diff('a', 'b', '--gate', 'gates.yaml');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe(`gates.yaml:2:3: unknown option "acuracy" of the gates of "int8" [unknown-key]
  2 |   acuracy: { min: 70% }
    |   ^^^^^^^
    = did you mean "accuracy"?

gates.yaml:3:12: unknown option "maxx" of bytes of the gates of "int8" [unknown-key]
  3 |   bytes: { maxx: 2MB }
    |            ^^^^
    = did you mean "max"?

gates.yaml:4:1: there is no stage "intt8" [unknown-stage]
  4 | intt8: { bytes: { max: two } }
    | ^^^^^
    = did you mean "int8"?

gates.yaml:4:24: max is "two"; expected bytes such as 2MB or 2000000 [bad-text]
  4 | intt8: { bytes: { max: two } }
    |                        ^^^

4 problems; nothing was run.
`);
  });

  it.each([
    ['a path that is not there', ['a', 'nowhere'], 'nowhere: no such file or folder; expected the folder of a run'],
    ['a folder without a report', ['empty', 'b'], 'empty holds no report: expected'],
    ['a revision that is not there', ['git:no-such:a', 'b'], "git:no-such:a: invalid object name 'no-such'"],
    ['a revision that is an option', ['git:--output=x:a', 'b'], 'git:--output=x:a: '],
    ['a path that no commit has', ['git:HEAD:nothing.json', 'b'], "git:HEAD:nothing.json: path 'nothing.json'"],
    ['no gates', ['a', 'b', '--gate', 'none.yaml'], 'none.yaml: no such file. Name a file of gates'],
    ['a band without a unit', ['a', 'b', '--latency-band', '5'], "error: option '--latency-band <share>' argument '5'"],
    ['one run', ['a'], "error: missing required argument 'B'"],
  ])('exits 2 on %s and says what it expected', async (_, args, message) => {
    const { code, stdout, stderr } = await diff(...args);
    expect({ code, stdout, said: stderr.slice(0, message.length) }).toEqual({ code: 2, stdout: '', said: message });
  });

  it('exits 2 on a file that is no report', async () => {
    space.write('hostile.json', hostile.escape);
    const { code, stdout, stderr } = await diff('hostile.json', 'b');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^hostile\.json is no JSON/);
    expect(stderr).not.toMatch(/(?!\n)\p{Cc}| {4}at /u);
  });
});

describe('decant schema report', () => {
  it('prints a schema of the version that reports name, in which every field of a report is', async () => {
    const { code, stdout } = await decant(['schema', 'report']);
    const schema = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(schema.$id).toBe('urn:decant.report:1');
    expect(schema.properties.schema.const).toBe(before.schema);
    // Only a run over several seeds has them, only one that did not end says why, and only a report that was written has a checksum.
    expect(Object.keys(schema.properties).toSorted()).toEqual(
      [...Object.keys(before), 'seeds', 'unfinished', 'checksum'].toSorted(),
    );
  });

  it('knows nothing else but pipelines', async () => {
    expect(await decant(['schema', 'models'])).toMatchObject({ code: 2, stdout: '' });
  });
});
