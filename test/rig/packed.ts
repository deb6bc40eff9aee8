import { execFileSync } from 'node:child_process';
import { z } from 'zod';
import { root } from './build.ts';

const packed = z.tuple([z.object({ size: z.number(), files: z.array(z.object({ path: z.string() })) })]);

/** The tarball that npm would publish: its bytes and the paths in it. */
export const packedTarball = (): { readonly size: number; readonly files: readonly string[] } => {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const windows = process.platform === 'win32';
  const stdout = execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: 'pipe', shell: windows });
  const [{ size, files }] = packed.parse(JSON.parse(stdout));
  return { size, files: files.map(({ path }) => path) };
};
