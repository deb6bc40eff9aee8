import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { root } from '../rig/build.ts';

const packed = z.array(z.object({ files: z.array(z.object({ path: z.string() })) }));

describe('the package', () => {
  it('holds what the command line needs, and no sources or tests', () => {
    const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
    });
    const files = packed.parse(JSON.parse(stdout)).flatMap((one) => one.files.map(({ path }) => path));
    expect(files).toEqual(
      expect.arrayContaining([
        'bin/decant.js',
        'dist/pipeline/cli.js',
        'dist/pipeline/step-process.js',
        'dist/stages/index.js',
        'pipeline.yaml',
        'pipeline.schema.json',
        'LICENSE',
      ]),
    );
    expect(files.filter((path) => path.endsWith('.ts') || path.startsWith('test/'))).toEqual([]);
  });
});
