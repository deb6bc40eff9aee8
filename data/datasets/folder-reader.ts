import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { listed } from '../../ground/names.ts';
import { dataErrors } from '../errors.ts';
import { isImage, readImage } from '../images/index.ts';
import { sourceErrors } from '../split-errors.ts';
import type { SourceFile } from './bytes.ts';
import { classOrder } from './class-order.ts';
import type { RowReader, Values } from './rows.ts';
import { LONGEST_ROW, wholeText } from './text-blocks.ts';

/** What stands in a folder, by paths within it. */
interface Listing {
  readonly texts: readonly string[];
  /** Files that are no texts (or images), hidden ones aside. */
  readonly others: readonly string[];
}

/** What a folder holds: how such files are known, what one is called, and what a row is made of. */
interface FolderOf {
  readonly ending: string;
  readonly one: string;
  is(path: string): boolean;
  read(file: SourceFile, path: string, whole: boolean): Promise<Pick<Values, 'pixels'> & { readonly text: string }>;
}

/** A text a file. */
const ofTexts: FolderOf = {
  ...{ ending: '.txt', one: 'text' },
  is: (path) => /\.txt(?:\.gz)?$/i.test(path),
  read: async (file) => ({
    text: await wholeText(file, LONGEST_ROW, () => dataErrors.longRow(file.shown, LONGEST_ROW)),
  }),
};

/** An image a file, called by its path within the folder. */
const ofImages: FolderOf = {
  ...{ ending: '.png or .jpg', one: 'image' },
  is: isImage,
  read: async ({ path, shown }, text, whole) => ({ text, ...(whole ? { pixels: await readImage(path, shown) } : {}) }),
};

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

const listingOf = async (folder: SourceFile, { is }: FolderOf): Promise<Listing> => {
  await expectFolder(folder);
  const paths = [...(await pathsIn(folder))].sort();
  return { texts: paths.filter(is), others: paths.filter((path) => !is(path)) };
};

/** The folder of a class that a file lies in, at whatever depth; undefined where it lies in none. */
const classOf = (path: string): string | undefined => (path.includes('/') ? path.split('/')[0] : undefined);

const classesIn = (paths: readonly string[]): ReadonlySet<string> =>
  new Set(paths.flatMap((path) => classOf(path) ?? []));

/** Every text has a class, and every folder a text: what lies elsewhere would be missed without a word. */
const expectClasses = ({ texts, others }: Listing, { shown }: SourceFile, of: FolderOf): void => {
  const stray = texts.find((path) => classOf(path) === undefined);
  if (stray !== undefined) throw sourceErrors.strayText(`${shown}/${stray}`, shown, stray);
  const full = classesIn(texts);
  const empty = [...classesIn(others)].find((name) => !full.has(name));
  if (empty !== undefined)
    throw sourceErrors.noTexts(
      `${shown}/${empty}`,
      others.filter((path) => classOf(path) === empty),
      of,
    );
};

const TEXT = 'text';
const LABEL = 'label';

const rowOf = async (
  folder: SourceFile,
  path: string,
  columns: readonly string[],
  read: (file: SourceFile) => ReturnType<FolderOf['read']>,
): Promise<Values> => {
  const file = { shown: `${folder.shown}/${path}`, path: join(folder.path, path) };
  const { text, ...seen } = await read(file);
  const values = columns.map((name) => (name === TEXT ? text : name === LABEL ? classOf(path) : undefined));
  return { at: file.shown, names: [TEXT, LABEL], values, ...seen };
};

/** Files that are read at a time: a disk waits more than it reads. */
const AT_ONCE = 32;

/** Where only the first rows are looked at, so many of them are read as a whole. */
const FIRST_WHOLE = 50;

async function* rowsOf(
  folder: SourceFile,
  of: FolderOf,
  columns: readonly string[],
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<Values> {
  const listing = await listingOf(folder, of);
  if (columns.includes(LABEL)) expectClasses(listing, folder, of);
  const { texts, others } = listing;
  if (texts.length === 0) throw sourceErrors.noTexts(folder.shown, others, of);
  const whole = Number.isFinite(most) ? FIRST_WHOLE : texts.length;
  for (let at = 0; at < texts.length; at += AT_ONCE) {
    const rows = texts
      .slice(at, at + AT_ONCE)
      .map((path, i) => rowOf(folder, path, columns, (file) => of.read(file, path, at + i < whole)));
    yield* await Promise.all(rows);
  }
}

/** Of more files nobody waits for the sizes. */
const MOST_SIZED = 2000;

/** Reads a folder: one text or image a file, its class the folder that it lies in. */
const readerOf = (of: FolderOf): RowReader => ({
  isNaming: true,
  values: (folder, columns, most) => rowsOf(folder, of, columns, most),
  columns: async (folder) => {
    await expectFolder(folder);
    return [TEXT, LABEL];
  },
  classes: async (folder) => classOrder(classesIn((await listingOf(folder, of)).texts)),
  bytes: async (folder) => {
    const { texts } = await listingOf(folder, of);
    if (texts.length > MOST_SIZED) return Number.POSITIVE_INFINITY;
    const sizes = await Promise.all(texts.map(async (path) => (await stat(join(folder.path, path))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  },
  remarks: async (folder) => {
    const { others } = await listingOf(folder, of);
    const [files, are] =
      others.length === 1
        ? ['file', `does not end in ${of.ending} and is`]
        : ['files', `do not end in ${of.ending} and are`];
    return others.length === 0
      ? []
      : [`${others.length} ${files} of ${folder.shown} ${are} left out: ${listed(others, 3)}`];
  },
});

export const folderReader = readerOf(ofTexts);
export const imageFolderReader = readerOf(ofImages);
