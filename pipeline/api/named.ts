import { mkdir, rm, rmdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { defaultEngine, openEngine } from '../../engine/engines/index.ts';
import { noCheckpoints } from '../../ground/checkpoints.ts';
import { reworded } from '../../ground/errors.ts';
import { nearby } from '../../ground/near.ts';
import type { Model } from '../../models/model.ts';
import type { Precision } from '../../models/precision.ts';
import type { StageContext } from '../../stages/stage.ts';
import { requestError } from '../diagnostic.ts';
import { beforeReading } from './open.ts';
import type { ReadingEvent } from './types/models.ts';

/** The models of one folder by precision. */
export type Models = ReadonlyMap<Precision, Model>;

export interface Reading {
  /** Where a download lies until the model was used; what has arrived stays there when it is interrupted. */
  readonly work: string;
  readonly offline: boolean;
  readonly signal: AbortSignal;
  emit(event: ReadingEvent): void;
}

/** What `import` would read, as it is: the user can mend what is wrong with it. */
const imported = async (name: string, read: () => Promise<Model>): Promise<Models> => {
  try {
    return new Map([['fp32', await read()]]);
  } catch (error) {
    throw reworded(error, (message) => requestError(`${name}: ${message}`));
  }
};

/** A folder of a stage, an exported one, or one as transformers saves models. */
const inFolder = async (path: string): Promise<Models> => {
  const { folderKind, readModels } = await import('../../models/files.ts');
  await beforeReading(path);
  if ((await folderKind(path)) !== 'checkpoint') return await readModels(path);
  const { importModel } = await import('../../models/importers/index.ts');
  return await imported(path, () => importModel(resolve(path), process.cwd(), { head: 'keep' }));
};

const fromPackage = async (name: string): Promise<Models> => {
  const { findImporter, importModel, unknownModel } = await import('../../models/importers/index.ts');
  if (findImporter(name) === undefined) throw requestError(unknownModel(name));
  return await imported(name, () => importModel(name, process.cwd()));
};

/** What the download step of a run is given, without a store. */
const contextOf = (name: string, { work, offline, signal, emit }: Reading): StageContext => ({
  engine: () => openEngine(defaultEngine),
  ...{ seed: 0, threads: 1, signal, offline, base: process.cwd() },
  checkpoints: { ...noCheckpoints, folder: join(work, 'arrived') },
  progress: (progress) => emit({ type: 'progress', step: name, progress }),
  log: (message) => emit({ type: 'log', step: name, message }),
  output: async (output) => {
    const folder = join(work, output);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    return folder;
  },
});

/** Only its form is looked at: nobody is asked whether the model exists. */
const checkName = async (name: string, endpoint: string, offline: boolean): Promise<void> => {
  const { endpointProblem } = await import('../../stages/download/endpoint.ts');
  const { specifierProblem } = await import('../../stages/download/specifier.ts');
  const problem = specifierProblem(name) ?? endpointProblem(endpoint);
  if (problem !== undefined) throw requestError(problem);
  if (!offline) return;
  throw requestError(`${name}: --offline (or DECANT_OFFLINE) forbids to download it; name a local folder`);
};

/** Brings a checkpoint of the hub and says which folder it is in. What has arrived of one that fails stays, for the next try. */
const downloaded = async (name: string, reading: Reading): Promise<string> => {
  const { download } = await import('../../stages/download/index.ts');
  const { endpointFrom } = await import('../../stages/download/endpoint.ts');
  const endpoint = endpointFrom(process.env);
  await checkName(name, endpoint, reading.offline);
  const ctx = contextOf(name, reading);
  try {
    await download.run({}, { model: name, endpoint }, ctx);
  } catch (error) {
    for (const folder of [ctx.checkpoints.folder, reading.work]) await rmdir(folder).catch(() => undefined);
    throw error;
  }
  return join(reading.work, 'folder');
};

/** Weights stay in their files until they are written, so these are there as long as `use` takes. */
const withDownload = async <T>(name: string, reading: Reading, use: (models: Models) => Promise<T>): Promise<T> => {
  const { checkpointName } = await import('../../stages/import/hub.ts');
  const { importModel } = await import('../../models/importers/index.ts');
  const folder = await downloaded(name, reading);
  try {
    const called = await checkpointName((file) => join(folder, file));
    return await use(await imported(name, () => importModel(folder, process.cwd(), { head: 'keep', name: called })));
  } finally {
    if (!reading.signal.aborted) await rm(reading.work, { recursive: true, force: true });
  }
};

/** Lets `use` work with the models behind a name: a folder, or whatever the import stage takes. */
export const withModels = async <T>(
  name: string,
  reading: Reading,
  use: (models: Models) => Promise<T>,
): Promise<T> => {
  const { isHubSpecifier } = await import('../../stages/download/specifier.ts');
  const found = await stat(name).catch(() => undefined);
  if (found?.isDirectory() === true) return await use(await inFolder(name));
  if (isHubSpecifier(name)) return await withDownload(name, reading, use);
  if (name.startsWith('npm:')) return await use(await fromPackage(name));
  throw requestError(
    `${name}: no such folder; expected a model folder such as runs/NAME/models/student, or a model as import takes it, such as hub:owner/name@revision${nearby(name)}`,
  );
};
