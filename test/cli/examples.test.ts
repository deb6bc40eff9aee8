import { cpSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { smallPackages } from '../data/small-packages.ts';
import { root } from '../rig/build.ts';
import { decant } from '../rig/cli.ts';
import { smallScale } from '../rig/small-scale.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
afterAll(() => space[Symbol.dispose]());

/** The examples as they lie in the repository, with a part of the npm packages that take long to read. */
cpSync(join(root, 'examples'), space.path('examples'), { recursive: true });
cpSync(join(root, 'test/golden/checkpoints'), space.path('test/golden/checkpoints'), { recursive: true });
symlinkSync(join(root, 'node_modules'), space.path('node_modules'));
const beside = {
  ...space,
  path: (...parts: readonly string[]) => space.path('examples', ...parts),
  write: (name: string, content: string | Uint8Array) => space.write(join('examples', name), content),
};
for (const uses of ['spam-assassin', 'brown-tags']) smallPackages[uses]?.(beside);

const files = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.yaml'));

/** Whole pipelines, on a machine that may be busy. */
const LONGEST_MS = 900_000;

describe('the examples', () => {
  it('are five or more, and all of them are told', () => {
    expect(files.length).toBeGreaterThanOrEqual(5);
    const told = readFileSync(join(root, 'examples/README.md'), 'utf8');
    expect(files.filter((file) => !told.includes(`[${file}](${file})`))).toEqual([]);
  });

  // Those that the guide runs have their test with its commands.
  const guide = readFileSync(join(root, 'docs/guide.md'), 'utf8');
  it.each(files.filter((file) => !guide.includes(`decant run examples/${file}`)))(
    '%s runs as it stands, at small scale',
    async (file) => {
      const path = space.path('examples', file);
      const args = ['run', path, ...smallScale(path, 150), '--store', space.path('store'), '--json'];
      const { code, stderr } = await decant(args, { cwd: space.folder });
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      const deployed = readdirSync(space.path('examples/runs', file.replace('.yaml', ''), 'deploy'));
      expect(deployed).toEqual(expect.arrayContaining(['config.json', 'onnx', 'tokenizer.json']));
    },
    LONGEST_MS,
  );
});
