import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { root } from '../rig/build.ts';
import { packedTarball } from '../rig/packed.ts';

/** The promise to those who install it: a megabyte at most. */
const LARGEST_TARBALL = 1_000_000;

const locked = z.object({ packages: z.record(z.string(), z.object({ hasInstallScript: z.boolean().optional() })) });
const allowing = z.object({ allowScripts: z.record(z.string(), z.boolean()) });

/** What a page links to in the package, without the place inside of it. */
const linksIn = (file: string): readonly string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/\]\((?![a-z]+:)([^)\s#]+)/g)].map(([, path = '']) =>
    join(dirname(file), path).replaceAll('\\', '/').replace(/\/$/, ''),
  );

describe('npm in a checkout', () => {
  it('has nothing to warn of: there is no setting that it does not know', () => {
    const { status, stderr } = spawnSync('npm', ['pkg', 'get', 'name'], {
      ...{ cwd: root, encoding: 'utf8', shell: process.platform === 'win32' },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('runs no install script of onnxruntime-node, which would download CUDA libraries', () => {
    const lock = locked.parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')));
    const { allowScripts } = allowing.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
    // npm below 11.10 runs what the lock file says has one, later ones what package.json allows.
    expect(lock.packages['node_modules/onnxruntime-node']).toBeDefined();
    expect(lock.packages['node_modules/onnxruntime-node']?.hasInstallScript).toBeUndefined();
    expect(allowScripts['onnxruntime-node']).toBe(false);
  });
});

describe('the published package', () => {
  const { size, files } = packedTarball();

  it('is at most a megabyte', () => {
    expect(size).toBeLessThanOrEqual(LARGEST_TARBALL);
  });

  it('has the command, its pipelines and what they read', () => {
    for (const file of [
      'bin/decant.js',
      'dist/pipeline/cli.js',
      'dist/pipeline/step-process.js',
      'dist/pipeline/ui/page/main.js',
      'dist/stages/index.js',
      'pipeline.yaml',
      'pipeline.schema.json',
      'examples/own-data.yaml',
      'examples/verbs.csv',
      'examples/README.md',
      'examples/browser/index.html',
      'examples/browser/serve.mjs',
      'LICENSE',
      'README.md',
      'docs/guide.md',
      'docs/reference.md',
      'docs/api.md',
    ]) {
      expect(files).toContain(file);
    }
  });

  it('has no tests, sources, decisions about them, runs or stores', () => {
    expect(files.filter((file) => /^(?:test|bench|docs\/decisions|runs|\.decant)\/|(?<!\.d)\.ts$/.test(file))).toEqual(
      [],
    );
    expect(files.filter((file) => /(?:^|\/)(?:runs|\.decant)\//.test(file))).toEqual([]);
  });

  it('has what its pages link to, but for pictures and, from the pages about the code, the code', () => {
    const aboutCode = /^(?:ARCHITECTURE|CONTRIBUTING|docs\/(?:statistics|results\/(?:training|gpu)))\.md$/;
    const broken = files
      .filter((file) => file.endsWith('.md'))
      .flatMap((file) => linksIn(file).map((link) => ({ file, link })))
      .filter(({ link }) => !files.some((there) => there === link || there.startsWith(`${link}/`)))
      .filter(({ file, link }) => !link.endsWith('.png') && !(aboutCode.test(file) && existsSync(join(root, link))));
    expect(broken).toEqual([]);
  });

  it('pins every dependency exactly, so that a run means the same everywhere', () => {
    const manifest: { readonly dependencies: Readonly<Record<string, string>> } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    );
    const loose = Object.entries(manifest.dependencies).filter(([, range]) => !/^\d+\.\d+\.\d+$/.test(range));
    expect(loose).toEqual([]);
  });
});
