import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A temporary folder of one test. */
export interface Workspace extends Disposable {
  readonly folder: string;
  path(...parts: readonly string[]): string;
  /** Writes a file and returns its path. */
  write(name: string, content: string | Uint8Array): string;
}

/** A fresh temporary folder, removed at the end of the test: `using space = workspace()`. */
export const workspace = (): Workspace => {
  const folder = mkdtempSync(join(tmpdir(), 'decant-'));
  const path = (...parts: readonly string[]): string => join(folder, ...parts);
  return {
    folder,
    path,
    write: (name, content) => {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), content);
      return path(name);
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
};
