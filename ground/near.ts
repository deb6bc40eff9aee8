import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { closest, distance } from 'fastest-levenshtein';

/** The known name that was probably meant: at most a third of its letters differ, or two of a short word. */
export const nearName = (found: string, known: readonly string[]): string | undefined => {
  if (known.length === 0) return undefined;
  const best = closest(found.toLowerCase(), known);
  const length = Math.max(found.length, best.length);
  const reach = Math.max(length > 4 ? 2 : 1, Math.floor(length / 3));
  return distance(found.toLowerCase(), best.toLowerCase()) <= reach ? best : undefined;
};

const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith('.'));
  } catch {
    return [];
  }
};

/** What is there instead of a path that is not: each of its folders may be misspelt. */
const nearPath = (path: string): string | undefined => {
  if (existsSync(path)) return path;
  const parent = dirname(path) === path ? undefined : nearPath(dirname(path));
  const name = parent === undefined ? undefined : nearName(basename(path), namesIn(parent));
  return parent === undefined || name === undefined ? undefined : join(parent, name);
};

/** `; did you mean x?` behind the message that a path is not there, where something of a near name is. */
export const nearby = (path: string): string => {
  const near = nearPath(path);
  return near === undefined || near === path ? '' : `; did you mean ${near}?`;
};
