import { mkdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Placed, placedFile, placedText, readPlaced } from '../../reports/placed.ts';
import { writeWhole } from '../store/atomic.ts';

const write = async (out: string, placed: Placed): Promise<void> => {
  await mkdir(dirname(join(out, placedFile)), { recursive: true });
  await writeWhole(join(out, placedFile), `${placedText(placed)}\n`);
};

/** Notes what was put into a run's folder beside what earlier runs put there. */
export const notePlaced = async (out: string, placed: Placed): Promise<void> => {
  const before = await readPlaced(out).catch(() => null);
  const after = { ...before, ...placed };
  if (!isDeepStrictEqual(after, before)) await write(out, after);
};

/** What is exported over a folder that a run put there is the user's own. */
export const forgetPlaced = async (folder: string): Promise<void> => {
  const [out, name] = [dirname(resolve(folder)), basename(folder)];
  const before = await readPlaced(out);
  if (before?.[name] === undefined) return;
  const { [name]: _, ...others } = before;
  await write(out, others);
};
