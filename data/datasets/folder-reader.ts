import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { listed } from '../../ground/names.ts';
import { dataErrors } from '../errors.ts';
import { sourceErrors } from '../split-errors.ts';
import type { SourceFile } from './bytes.ts';
import { classOrder } from './class-order.ts';
import type { RowReader, Values } from './rows.ts';
import { LONGEST_ROW, wholeText } from './text-blocks.ts';

/** What stands in a folder, by paths within it. */
interface Listing {
  readonly texts: readonly string[];
  /** Files that are no texts, hidden ones aside. */
  readonly others: readonly string[];
}

const isText = (path: string): boolean => /\.txt(?:\.gz)?$/i.test(path);

const expectFolder = async ({ shown, path }: SourceFile): Promise<void> => {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw dataErrors.missingFile(shown, path);
  if (!found.isDirectory()) throw sourceErrors.noFolder(shown);
};

/** All files below a folder that are not hidden, by their paths within it. */
const pathsIn = async (folder: SourceFile, prefix = ''): Promise<readonly string[]> => {
  const paths: string[] = [];
  for (const entry of await readdir(join(folder.path, prefix), { withFileTypes: true })) {
    const path = `${prefix}${entry.name}`;
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory()) paths.push(...(await pathsIn(folder, `${path}/`)));
    else if (entry.isSymbolicLink()) paths.push(await linkedFile(folder, path));
    else paths.push(path);
  }
  return paths;
};

/** Links to files are as good as these; what a link to a folder leads to belongs to no key. */
const linkedFile = async ({ shown, path: folder }: SourceFile, path: string): Promise<string> => {
  const target = await stat(join(folder, path)).catch(() => undefined);
  if (target?.isDirectory() === true) throw sourceErrors.linkedFolder(`${shown}/${path}`);
  return path;
};

const listingOf = async (folder: SourceFile): Promise<Listing> => {
  await expectFolder(folder);
  const paths = [...(await pathsIn(folder))].sort();
  return { texts: paths.filter(isText), others: paths.filter((path) => !isText(path)) };
};

/** The folder of a class that a file lies in, at whatever depth; undefined where it lies in none. */
const classOf = (path: string): string | undefined => (path.includes('/') ? path.split('/')[0] : undefined);

const classesIn = (paths: readonly string[]): ReadonlySet<string> =>
  new Set(paths.flatMap((path) => classOf(path) ?? []));

/** Every text has a class, and every folder a text: what lies elsewhere would be missed without a word. */
const expectClasses = ({ texts, others }: Listing, { shown }: SourceFile): void => {
  const stray = texts.find((path) => classOf(path) === undefined);
  if (stray !== undefined) throw sourceErrors.strayText(`${shown}/${stray}`, shown, stray);
  const full = classesIn(texts);
  const empty = [...classesIn(others)].find((name) => !full.has(name));
  if (empty !== undefined)
    throw sourceErrors.noTexts(
      `${shown}/${empty}`,
      others.filter((path) => classOf(path) === empty),
    );
};

const TEXT = 'text';
const LABEL = 'label';

const rowOf = async (folder: SourceFile, path: string, columns: readonly string[]): Promise<Values> => {
  const file = { shown: `${folder.shown}/${path}`, path: join(folder.path, path) };
  const text = await wholeText(file, LONGEST_ROW, () => dataErrors.longRow(file.shown, LONGEST_ROW));
  const values = columns.map((name) => (name === TEXT ? text : name === LABEL ? classOf(path) : undefined));
  return { at: file.shown, names: [TEXT, LABEL], values };
};

/** Files that are read at a time: a disk waits more than it reads. */
const AT_ONCE = 32;

async function* rowsOf(folder: SourceFile, columns: readonly string[]): AsyncGenerator<Values> {
  const listing = await listingOf(folder);
  if (columns.includes(LABEL)) expectClasses(listing, folder);
  const { texts, others } = listing;
  if (texts.length === 0) throw sourceErrors.noTexts(folder.shown, others);
  for (let at = 0; at < texts.length; at += AT_ONCE) {
    yield* await Promise.all(texts.slice(at, at + AT_ONCE).map((path) => rowOf(folder, path, columns)));
  }
}

/** Of more files nobody waits for the sizes. */
const MOST_SIZED = 2000;

/** Reads a folder of text files: one text a file, its class the folder that it lies in. */
export const folderReader: RowReader = {
  isNaming: true,
  values: (folder, columns) => rowsOf(folder, columns),
  columns: async (folder) => {
    await expectFolder(folder);
    return [TEXT, LABEL];
  },
  classes: async (folder) => classOrder(classesIn((await listingOf(folder)).texts)),
  bytes: async (folder) => {
    const { texts } = await listingOf(folder);
    if (texts.length > MOST_SIZED) return Number.POSITIVE_INFINITY;
    const sizes = await Promise.all(texts.map(async (path) => (await stat(join(folder.path, path))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  },
  remarks: async (folder) => {
    const { others } = await listingOf(folder);
    const [files, are] =
      others.length === 1 ? ['file', 'does not end in .txt and is'] : ['files', 'do not end in .txt and are'];
    return others.length === 0
      ? []
      : [`${others.length} ${files} of ${folder.shown} ${are} left out: ${listed(others, 3)}`];
  },
};
