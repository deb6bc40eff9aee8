import { readdir, readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { pageMarkup } from './document.ts';
import type { Answer } from './responses.ts';
import { pageStyle } from './style.ts';

/** The page and what it loads, by name: held in memory, so that no name is looked up on a disk. */
export type Assets = ReadonlyMap<string, Answer>;

const scripts = async (): Promise<readonly (readonly [string, Answer])[]> => {
  const folder = new URL('page/', import.meta.url);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.js'));
  return await Promise.all(
    names.map(async (name) => [name, { type: 'js', body: await readFile(new URL(name, folder), 'utf8') }] as const),
  );
};

export const loadAssets = async (folder: string): Promise<Assets> =>
  new Map<string, Answer>([
    ['', { type: 'html', body: pageMarkup(basename(resolve(folder))) }],
    ['style.css', { type: 'css', body: pageStyle }],
    ...(await scripts()),
  ]);
