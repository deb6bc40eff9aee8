import { execFileSync } from 'node:child_process';
import { z } from 'zod';
import { root } from './build.ts';

const packed = z.array(z.object({ files: z.array(z.object({ path: z.string() })) }));

/** Paths in the tarball that npm would publish. */
export const packedFiles = (): readonly string[] => {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const windows = process.platform === 'win32';
  const stdout = execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: 'pipe', shell: windows });
  return packed.parse(JSON.parse(stdout)).flatMap(({ files }) => files.map(({ path }) => path));
};
