import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { root } from '../rig/build.ts';
import { decant, tinyCsv } from '../rig/cli.ts';
import { COMMIT, type Mischief, rigHub, sha256 } from '../rig/hub.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

const checkpoint = `${root}test/golden/checkpoints/distilbert-features/`;

const files: Readonly<Record<string, Uint8Array>> = {
  ...Object.fromEntries(
    readdirSync(checkpoint, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(`${checkpoint}${name}`).isFile())
      .map((name) => [name, readFileSync(`${checkpoint}${name}`)]),
  ),
  'README.md': Buffer.from('---\nlicense: mit\n---\n'),
  'pytorch_model.bin': Buffer.from('a pickle'),
};

const prepare = (space: Workspace, model = 'hub:tiny/bert'): void => {
  space.write('tiny.csv', tinyCsv());
  space.write(
    'pipeline.yaml',
    `name: hub
data: { uses: csv, file: tiny.csv, maxLength: 16, labelled: 200 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - { id: encoder, uses: import, model: '${model}' }
  - { id: deploy, uses: export }
`,
  );
};

const allFiles = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`);

/** Half of the weights, then nothing. */
const half: Mischief = (path, _, response) => {
  const weights = files['model.safetensors'];
  if (weights === undefined || !path.endsWith('model.safetensors')) return false;
  response.writeHead(200, { etag: `"${sha256(weights)}"`, 'content-length': weights.length });
  response.write(weights.subarray(0, weights.length >> 1));
  return true;
};

/** Ctrl-C when half of the weights were sent and had time to arrive. */
const interruptWhenHalf = (
  { cdn }: { readonly cdn: { readonly got: readonly unknown[] } },
  child: ChildProcess,
): void => {
  const timer = setInterval(() => {
    if (cdn.got.length === 0) return;
    clearInterval(timer);
    setTimeout(() => child.kill('SIGINT'), 700);
  }, 50);
};

const recordSchema = z.object({ stages: z.array(z.object({ step: z.object({ metrics: z.unknown() }).nullable() })) });

describe('a run with a model of the hub', () => {
  it('goes on after Ctrl-C, pins the commit, and needs no network afterwards', async () => {
    using space = workspace();
    prepare(space);
    let interrupted = false;
    let server = await rigHub({ files, cdnMischief: half });
    const env = { HF_ENDPOINT: server.url, HF_TOKEN: 'hf_secret' };
    const first = await decant(['run', '--plain'], {
      cwd: space.folder,
      env,
      onText: (text, child) => {
        if (!interrupted && text.includes(COMMIT)) interruptWhenHalf(server, child);
        interrupted ||= text.includes(COMMIT);
      },
    });
    expect(first.code).toBe(130);
    expect(first.stdout).toMatch(
      new RegExp(`encoder/download +tiny/bert@main is commit ${COMMIT}: \\d+ files, 0\\.\\d MB`),
    );
    const { port } = new URL(server.url);
    await server[Symbol.asyncDispose]();

    server = await rigHub({ files, port: Number(port) });
    const second = await decant(['run', '--plain'], { cwd: space.folder, env });
    expect([second.code, second.stderr]).toEqual([0, '']);
    expect(server.cdn.got.map(({ headers }) => headers.range)).toEqual([expect.stringMatching(/^bytes=[1-9]\d+-$/)]);
    expect(server.cdn.got[0]?.headers.authorization).toBeUndefined();
    expect(server.got.every(({ headers }) => headers.authorization === 'Bearer hf_secret')).toBe(true);
    await server[Symbol.asyncDispose]();

    const run = recordSchema.parse(JSON.parse(readFileSync(space.path('runs/hub/records/run.json'), 'utf8')));
    expect(run.stages[0]?.step?.metrics).toMatchObject({
      origin: `tiny/bert at commit ${COMMIT} (Hugging Face, distilbert, mit)`,
    });
    expect(readFileSync(space.path('runs/hub/deploy/README.md'), 'utf8')).toContain(`tiny/bert at commit ${COMMIT}`);
    const secret = allFiles(space.folder).filter((file) => readFileSync(file).includes('hf_secret'));
    expect(secret).toEqual([]);

    // The server is gone: whoever asked it now would fail.
    const third = await decant(['run', '--plain', '--offline'], { cwd: space.folder, env });
    expect([third.code, third.stderr]).toEqual([0, '']);
    expect(third.stdout).toMatch(/encoder\/download +reused/);
  });

  it('downloads nothing when it is offline, and says what the hub refuses', async () => {
    using space = workspace();
    prepare(space);
    await using server = await rigHub({ files });
    const run = (args: readonly string[], variables: Readonly<Record<string, string>> = {}) =>
      decant(['run', ...args], { cwd: space.folder, env: { HF_ENDPOINT: server.url, ...variables } });
    for (const { code, stderr } of [await run(['--offline']), await run([], { DECANT_OFFLINE: '1' })]) {
      expect(code).toBe(1);
      expect(stderr).toContain(
        'Stage "encoder/download" failed: hub:tiny/bert@main is not in the store, and --offline (or DECANT_OFFLINE) forbids',
      );
    }
    expect(server.got).toEqual([]);
    const { code, stderr } = await run(['--set', 'stages.encoder.model=hub:tiny/bert@v9']);
    expect(code).toBe(1);
    expect(stderr).toContain("tiny/bert has no revision 'v9' (404)");
  });
});

describe('an export of a model of the hub', () => {
  it('goes on after Ctrl-C, pins the commit, sends the token to the hub alone and leaves nothing but the export', async () => {
    using space = workspace();
    let server = await rigHub({ files, cdnMischief: half });
    const run = (onText?: (text: string, child: ChildProcess) => void) =>
      decant(['export', 'hub:tiny/bert', 'site/theirs'], {
        ...{ cwd: space.folder, env: { HF_ENDPOINT: server.url, HF_TOKEN: 'hf_secret' } },
        ...(onText === undefined ? {} : { onText }),
      });
    let interrupted = false;
    const first = await run((text, child) => {
      if (!interrupted && text.includes(COMMIT)) interruptWhenHalf(server, child);
      interrupted ||= text.includes(COMMIT);
    });
    expect([first.code, first.stderr]).toEqual([130, expect.stringContaining('Interrupted: nothing was exported.')]);
    expect(readdirSync(space.path('site'))).toEqual(['theirs.download']);
    await server[Symbol.asyncDispose]();

    server = await rigHub({ files });
    const second = await run();
    expect([second.code, second.stdout]).toEqual([0, expect.stringMatching(/^site\/theirs: features \(distilbert\)/)]);
    expect(server.cdn.got.map(({ headers }) => headers.range)).toEqual([expect.stringMatching(/^bytes=[1-9]\d+-$/)]);
    expect(server.cdn.got[0]?.headers.authorization).toBeUndefined();
    expect(readFileSync(space.path('site/theirs/README.md'), 'utf8')).toContain(`tiny/bert at commit ${COMMIT}`);
    expect(readdirSync(space.path('site'))).toEqual(['theirs']);
    expect(allFiles(space.folder).filter((file) => readFileSync(file).includes('hf_secret'))).toEqual([]);
    await server[Symbol.asyncDispose]();
  });

  it.each([
    [['hub:tiny/bert', '--offline'], 2, 'hub:tiny/bert: --offline (or DECANT_OFFLINE) forbids to download it; name a'],
    [['hub:tiny/bert@a..b'], 2, "'a..b' in 'hub:tiny/bert@a..b' is no revision"],
    [['hub:tiny/bert@v9'], 1, "tiny/bert has no revision 'v9' (404)"],
  ])('refuses %j and leaves nothing', async (args, code, message) => {
    using space = workspace();
    await using server = await rigHub({ files });
    const ended = await decant(['export', ...args, 'out'], { cwd: space.folder, env: { HF_ENDPOINT: server.url } });
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(message)]);
    expect(readdirSync(space.folder)).toEqual([]);
  });
});

describe('a pipeline that names a model of the hub', () => {
  it('is validated and planned without a question to the hub', async () => {
    using space = workspace();
    prepare(space);
    await using server = await rigHub({ files });
    for (const command of ['validate', 'plan']) {
      const { code, stdout } = await decant([command], { cwd: space.folder, env: { HF_ENDPOINT: server.url } });
      expect(code).toBe(0);
      if (command === 'plan') expect(stdout).toMatch(/encoder\/download +runs: never run before/);
    }
    expect(server.got).toEqual([]);
  });

  it('is wrong where the name or the address of the hub is, at its place', async () => {
    using space = workspace();
    prepare(space, 'hub:tiny/bert@a..b');
    const bad = await decant(['validate'], { cwd: space.folder });
    expect(bad.code).toBe(2);
    expect(bad.stderr).toContain(
      "pipeline.yaml:5:41: 'a..b' in 'hub:tiny/bert@a..b' is no revision; expected a branch, a tag or a commit",
    );
    prepare(space);
    const open = await decant(['run'], { cwd: space.folder, env: { HF_ENDPOINT: 'http://hub.example' } });
    expect(open.code).toBe(2);
    expect(open.stderr).toContain("HF_ENDPOINT is 'http://hub.example'; expected https://");
  });
});
