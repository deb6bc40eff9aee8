import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseReport } from '../../reports/schema/index.ts';
import { fullReport, hostile } from '../reports/sample.ts';
import { root } from '../rig/build.ts';
import { decant, type Result } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
const report = (...args: readonly string[]): Promise<Result> => decant(['report', ...args], { cwd: space.folder });
const expected = fullReport();

beforeAll(() => {
  space.write('runs/x/report.json', JSON.stringify(expected));
  mkdirSync(space.path('empty'));
});
afterAll(() => space[Symbol.dispose]());

describe('decant report', () => {
  it('prints the table of a run by its folder or its report.json', async () => {
    const [folder, file] = [await report('runs/x'), await report('runs/x/report.json')];
    expect(folder).toMatchObject({ code: 0, stderr: '' });
    expect(folder.stdout).toContain('int8 is 15.7 times as fast as teacher');
    expect(file.stdout).toBe(folder.stdout);
  });

  it.each([
    ['md', '# supersense\n'],
    ['html', '<!doctype html>\n'],
    ['json', '{\n  "schema"'],
    ['csv', 'stage,uses,'],
  ])('prints %s', async (format, start) => {
    const { code, stdout } = await report('runs/x', '--format', format);
    expect({ code, start: stdout.slice(0, start.length) }).toEqual({ code: 0, start });
  });

  it('prints the same report that it read', async () => {
    const { stdout } = await report('runs/x', '--format', 'json');
    expect(parseReport(stdout, 'stdout')).toMatchObject(expected);
  });

  it('takes the format from the name of the file', async () => {
    expect(await report('runs/x', '--out', 'page.html')).toMatchObject({ code: 0, stdout: 'page.html\n' });
    expect(readFileSync(space.path('page.html'), 'utf8')).toContain('<h1>supersense');
  });

  it('opens the page beside the report', async () => {
    const opened = { ...process.env, BROWSER: 'true' };
    const child = spawn(process.execPath, [`${root}bin/decant.js`, 'report', 'runs/x', '--open'], {
      cwd: space.folder,
      env: opened,
    });
    expect(await new Promise((done) => child.on('close', done))).toBe(0);
    expect(existsSync(space.path('runs/x/report.html'))).toBe(true);
  });

  it('says which browser does not start, and which file to open', async () => {
    const env = { ...process.env, BROWSER: 'no-such-browser' };
    const child = spawn(process.execPath, [`${root}bin/decant.js`, 'report', 'runs/x', '--open'], {
      cwd: space.folder,
      env,
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    expect(await new Promise((done) => child.on('close', done))).toBe(2);
    expect(said).toMatch(
      /^no-such-browser does not start \(.*ENOENT\): open \S*report\.html yourself, or set BROWSER\n$/,
    );
  });

  it.each([
    [{}, false],
    [{ FORCE_COLOR: '1' }, true],
    [{ FORCE_COLOR: '0' }, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, true],
  ])('has colours in a file as %j says', async (env, colored) => {
    const { FORCE_COLOR: _, NO_COLOR: __, ...rest } = process.env;
    const child = spawn(process.execPath, [`${root}bin/decant.js`, 'report', 'runs/x'], {
      cwd: space.folder,
      env: { ...rest, ...env },
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    await new Promise((done) => child.on('close', done));
    expect(out).toContain('stage');
    expect(out.includes('\u001b[1m')).toBe(colored);
  });

  it('minds a closed pipe as little as a reader does', async () => {
    const child = spawn(
      'sh',
      ['-c', `"${process.execPath}" "${root}bin/decant.js" report runs/x --format html | head -n 1`],
      { cwd: space.folder },
    );
    let [out, error] = ['', ''];
    child.stdout.on('data', (text) => {
      out += text;
    });
    child.stderr.on('data', (text) => {
      error += text;
    });
    await new Promise((done) => child.on('close', done));
    expect({ out, error }).toEqual({ out: '<!doctype html>\n', error: '' });
  });

  it.each([
    [
      'a path that is not there',
      ['nowhere'],
      'nowhere: no such file or folder; expected the folder of a run (runs/NAME) or a report.json',
    ],
    [
      'a folder without a report',
      ['empty'],
      'empty holds no report: expected records/run.json or report.json, as decant run leaves them',
    ],
    [
      'a folder that does not exist to write to',
      ['runs/x', '--out', 'no/such/page.csv'],
      'no/such/page.csv cannot be written: ',
    ],
    [
      'a format that it does not know',
      ['runs/x', '--format', 'pdf'],
      "error: option '--format <name>' argument 'pdf' is invalid. Allowed choices are text, md, html, json, csv.",
    ],
  ])('exits 2 on %s and says what it expected', async (_, args, message) => {
    const { code, stdout, stderr } = await report(...args);
    expect({ code, stdout, said: stderr.slice(0, message.length) }).toEqual({ code: 2, stdout: '', said: message });
  });

  it('exits 2 on a truncated and on a foreign file', async () => {
    space.write('cut.json', JSON.stringify(expected).slice(0, 500));
    space.write('foreign.json', '{"scripts":{}}');
    for (const file of ['cut.json', 'foreign.json']) {
      const { code, stderr } = await report(file);
      expect(code).toBe(2);
      expect(stderr).toContain(file);
      expect(stderr).not.toContain('    at ');
    }
  });

  it('sends no control characters of a report to the terminal', async () => {
    space.write('hostile.json', JSON.stringify(fullReport([hostile.escape], hostile.escape)));
    for (const format of ['text', 'html']) {
      const { code, stdout } = await report('hostile.json', '--format', format);
      expect(code).toBe(0);
      expect(stdout).not.toMatch(/(?![\r\n])\p{Cc}|\u202e/u);
    }
  });
});
