import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { isUserError, reworded } from '../../ground/errors.ts';
import { nearby } from '../../ground/near.ts';
import { isFile } from '../../ground/whole-file.ts';
import type { ForeignGraph } from '../../models/foreign.ts';
import type { Model } from '../../models/model.ts';
import { requestError } from '../diagnostic.ts';
import { called } from './called.ts';
import type { Models, Reading } from './named.ts';
import { beforeReading } from './open.ts';

/** What stands around a graph, and has to agree with it when it is written again. */
type Around =
  /** A folder of a stage, or what becomes one: a checkpoint, a model of a package or of the hub. */
  | { readonly kind: 'model'; readonly model: Model }
  /** A folder that decant exported, for clients. */
  | { readonly kind: 'exported'; readonly model: Model }
  /** Files of another maker; `folder` is where its tokenizer and its settings stand. */
  | { readonly kind: 'bare'; readonly folder: string };

/** A graph of whatever origin, as it is and in normal form. */
export interface Foreign extends ForeignGraph {
  /** As it was named. */
  readonly called: string;
  /** The ONNX file, where there is one. */
  readonly file?: string;
  readonly around: Around;
}

const graphNames = ['model.onnx', join('onnx', 'model.onnx')];

const graphIn = async (folder: string): Promise<string | undefined> => {
  for (const name of graphNames) if (await isFile(join(folder, name))) return join(folder, name);
  return undefined;
};

/** The folder that a file's tokenizer stands in: its own, or the one above `onnx`. */
const folderAround = (file: string): string => {
  const folder = dirname(resolve(file));
  return folder.endsWith(`${join('/', 'onnx')}`) ? dirname(folder) : folder;
};

const ofModel = async (name: string, model: Model, kind: 'model' | 'exported'): Promise<Foreign> => {
  const { ownGraph } = await import('../../models/foreign.ts');
  return { called: name, ...ownGraph(model.graph), around: { kind, model } };
};

const bareFile = async (name: string, file: string): Promise<Foreign> => {
  const { readForeign } = await import('../../models/foreign.ts');
  const read = await called(name, () => readForeign(file));
  return { called: name, ...read, file, around: { kind: 'bare', folder: folderAround(file) } };
};

const oneOf = (models: Models): Model => {
  const model = models.get('fp32') ?? [...models.values()][0];
  if (model === undefined) throw new Error('a folder of models holds at least one');
  return model;
};

const openFolder = async (path: string): Promise<Foreign> => {
  const { folderKind, readModels } = await import('../../models/files.ts');
  await beforeReading(path);
  const kind = await folderKind(path);
  if (kind === 'stage') return await ofModel(path, oneOf(await readModels(path)), 'model');
  if (kind === 'exported') return await ofModel(path, oneOf(await readModels(path)), 'exported');
  const file = await graphIn(path);
  if (file !== undefined) return await bareFile(path, file);
  if (kind === 'none')
    throw requestError(
      `${path} holds no model: expected model.onnx or onnx/model.onnx, model.json (a stage's folder) or config.json with weights (a checkpoint)`,
    );
  const { importModel } = await import('../../models/importers/index.ts');
  const model = await importModel(resolve(path), process.cwd(), { head: 'keep' }).catch((error: unknown) => {
    throw reworded(error, (message) => requestError(`${path}: ${message}`));
  });
  return await ofModel(path, model, 'model');
};

/** A file of a folder that decant made has what that folder says of it around it. */
const openFile = async (path: string): Promise<Foreign> => {
  const { folderKind, readModel } = await import('../../models/files.ts');
  for (const folder of [dirname(resolve(path)), folderAround(path)]) {
    const kind = await folderKind(folder).catch((error: unknown) => {
      if (isUserError(error)) return 'none' as const;
      throw error;
    });
    if (kind !== 'stage' && kind !== 'exported') continue;
    await beforeReading(folder);
    const model = await readModel(folder, { file: resolve(path) });
    return { ...(await ofModel(path, model, kind === 'stage' ? 'model' : 'exported')), file: path };
  }
  return await bareFile(path, path);
};

const packageName = /^((?:@[^/]+\/)?[^/]+)(?:\/(.+))?$/;

/** An ONNX file of an installed package that no importer knows: the one that is named, or the only one that it has. */
const packageFile = async (name: string): Promise<string | undefined> => {
  const { findImporter } = await import('../../models/importers/index.ts');
  if (findImporter(`npm:${name}`) !== undefined) return undefined;
  const { packageFolder } = await import('../../models/importers/packages.ts');
  const [, owner = name, path] = packageName.exec(name) ?? [];
  const folder = packageFolder(owner, process.cwd());
  if (path !== undefined) return join(folder, path);
  const files = (await readdir(folder, { recursive: true })).filter((one) => one.endsWith('.onnx')).toSorted();
  const [only, ...others] = files;
  if (only !== undefined && others.length === 0) return join(folder, only);
  const found =
    files.length === 0 ? 'it has none' : `name one of them: ${files.map((one) => `npm:${owner}/${one}`).join(', ')}`;
  throw requestError(`npm:${name}: expected a package with one ONNX file; ${found}`);
};

/** What is read, and where a download lies meanwhile; a place of its own where nobody says. */
export interface OpenOptions extends Partial<Reading> {}

const reading = (work: string, { offline = false, signal, emit }: OpenOptions): Reading => ({
  work,
  offline,
  signal: signal ?? new AbortController().signal,
  emit: emit ?? (() => undefined),
});

/** Weights stay in their files until they are written, so a download is there as long as `use` takes. */
const withRemote = async <T>(name: string, options: OpenOptions, use: (foreign: Foreign) => Promise<T>): Promise<T> => {
  const { withModels } = await import('./named.ts');
  const own = options.work === undefined ? await mkdtemp(join(tmpdir(), 'decant-download-')) : undefined;
  try {
    return await withModels(name, reading(options.work ?? join(own ?? '', 'model'), options), async (models) =>
      use(await ofModel(name, oneOf(models), 'model')),
    );
  } finally {
    if (own !== undefined) await rm(own, { recursive: true, force: true });
  }
};

/**
 * Lets `use` work with the graph behind a name: an ONNX file of any maker, a folder with one (a stage's, an exported one, one of
 * the hub's layout), a checkpoint's folder, or what the import stage takes (hub:owner/name@revision, npm:NAME).
 */
export const withForeign = <T>(name: string, options: OpenOptions, use: (foreign: Foreign) => Promise<T>): Promise<T> =>
  withOpened(name, options, async (foreign) => {
    await expectKnown(foreign);
    return await use(foreign);
  });

/** What nothing can run is neither cut nor rewritten. */
const expectKnown = async (foreign: Foreign): Promise<void> => {
  const { expectRegistered } = await import('../../engine/engines/onnxruntime/registered.ts');
  await called(foreign.called, () => expectRegistered(foreign.given));
};

const withOpened = async <T>(name: string, options: OpenOptions, use: (foreign: Foreign) => Promise<T>): Promise<T> => {
  const found = await stat(name).catch(() => undefined);
  if (found?.isDirectory() === true) return await use(await openFolder(name));
  if (found !== undefined) return await use(await openFile(name));
  const file = name.startsWith('npm:') ? await packageFile(name.slice('npm:'.length)) : undefined;
  if (file !== undefined) return await use(await bareFile(name, file));
  if (/^(?:hub|npm):/.test(name)) return await withRemote(name, options, use);
  throw requestError(
    `${name}: no such file or folder; expected a model: an ONNX file, a folder with one, a folder of decant or a checkpoint, or what import takes, such as hub:owner/name@revision${nearby(name)}`,
  );
};
