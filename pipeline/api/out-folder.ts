import { readdir, stat } from 'node:fs/promises';
import { requestError } from '../diagnostic.ts';

/** How a folder is asked for, and what may stand in it already. */
export interface OutFolder {
  /** What was expected in place of a file. */
  readonly expected: string;
  /** Whether what stands there may be replaced, and what is said of what may not. */
  readonly replaces?: { readonly mayGo: () => Promise<boolean>; readonly held: string };
}

/** A folder that is written is new or empty: what stands there would be lost, or taken for what was made. */
export const expectFreeFolder = async (folder: string, { expected, replaces }: OutFolder): Promise<void> => {
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isDirectory()) throw requestError(`${folder}: is a file; expected ${expected}`);
  if ((await readdir(folder)).length === 0) return;
  if ((await replaces?.mayGo()) === true) return;
  throw requestError(`${folder}: holds files${replaces?.held ?? ' already'}; name another folder, or empty this one`);
};
