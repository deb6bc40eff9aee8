import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import { z } from 'zod';
import { sourceErrors } from '../split-errors.ts';
import type { SourceFile } from './bytes.ts';

/** A file, or several: names, patterns, and patterns behind an exclamation mark for what they leave out. */
export type FileNames = string | readonly string[];

const fileName = z.string().min(1);

/** Files of one kind of texts. */
export const fileNames = z.union([fileName, z.array(fileName).min(1)], {
  error: 'expected a file, a pattern such as data/*.csv, or a list of them',
});

/** Characters of patterns. Brackets and braces stand in names of files, too: what is there by its name is no pattern. */
const isPattern = (name: string): boolean => /[*?[\]{}]/.test(name);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What a pattern matches, in the order of the paths, whatever the file system's is. */
const matched = async (pattern: string, base: string): Promise<readonly SourceFile[]> => {
  // Most pipelines name their files, and the library takes its time to load.
  const { glob } = await import('tinyglobby');
  const only = { cwd: base, absolute: true, onlyFiles: true, expandDirectories: false, extglob: false };
  const paths = (await glob(pattern, only)).map((path) => resolve(path)).sort(compare);
  if (paths.length === 0) throw sourceErrors.noMatch(pattern, base);
  const shown = (path: string): string => (isAbsolute(pattern) ? path : relative(base, path)).replaceAll('\\', '/');
  return paths.map((path) => ({ shown: shown(path), path }));
};

const filesFor = async (name: string, base: string): Promise<readonly SourceFile[]> => {
  const path = resolve(base, name);
  return existsSync(path) || !isPattern(name) ? [{ shown: name, path }] : matched(name, base);
};

/** The place of a file on the disk, whatever links lead to it. */
export const realPathOf = ({ path }: SourceFile): Promise<string> => realpath(path).catch(() => path);

const isExclusion = (name: string, base: string): boolean => name.startsWith('!') && !existsSync(resolve(base, name));

const allFiles = async (names: readonly string[], base: string): Promise<readonly SourceFile[]> => {
  const files: SourceFile[] = [];
  for (const name of names) files.push(...(await filesFor(name, base)));
  return files;
};

/** The files that names and patterns mean, in the order of the list and then of their paths, each once. */
export const filesOf = async (names: FileNames, base: string): Promise<readonly SourceFile[]> => {
  const list = [names].flat();
  const out = list.filter((name) => isExclusion(name, base));
  const excluded = await allFiles(
    out.map((name) => name.slice(1)),
    base,
  );
  const seen = new Set(await Promise.all(excluded.map(realPathOf)));
  const files: SourceFile[] = [];
  for (const file of await allFiles(
    list.filter((name) => !out.includes(name)),
    base,
  )) {
    const place = await realPathOf(file);
    if (!seen.has(place)) files.push(file);
    seen.add(place);
  }
  if (files.length === 0) throw sourceErrors.noMatch(list.join(', '), base);
  return files;
};

/** Names as a message tells where texts are from. */
export const shownNames = (names: FileNames): string => [names].flat().join(', ');
