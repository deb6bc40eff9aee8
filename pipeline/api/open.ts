import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { reworded } from '../../ground/errors.ts';
import { nearby } from '../../ground/near.ts';
import type { Model } from '../../models/model.ts';
import { requestError } from '../diagnostic.ts';
import { called } from './called.ts';
import type { FileOptions } from './types/models.ts';

/** A model, and the folder that its tokenizer and description stand in. */
export interface Opened {
  readonly model: Model;
  readonly folder: string;
}

/** Before a model is read: it must be what its run left, and what earlier readers that were killed left is removed. */
export const beforeReading = async (path: string): Promise<void> => {
  const { sweepTemporaryFolders } = await import('../../ground/temporary.ts');
  const { verifyPlaced } = await import('../../reports/placed.ts');
  await sweepTemporaryFolders();
  await verifyPlaced(path);
};

/** The folder that a file of weights belongs to: its own, or the one above `onnx`; undefined where decant made neither. */
const folderOf = async (file: string): Promise<string | undefined> => {
  const { folderKind } = await import('../../models/files.ts');
  for (const folder of [dirname(file), dirname(dirname(file))]) {
    const kind = await folderKind(folder);
    if (kind === 'stage' || kind === 'exported') return folder;
  }
  return undefined;
};

/** A graph that another exporter wrote, with its tokenizer beside it: read as the import stage would. */
const openForeign = async (file: string): Promise<Opened> => {
  const { importOnnx } = await import('../../models/importers/onnx/index.ts');
  const model = await importOnnx(file, process.cwd(), { head: 'keep' }).catch((error: unknown) => {
    throw reworded(error, (message) => requestError(`${file}: ${message}`));
  });
  return { folder: dirname(file), model };
};

const openFile = async (file: string, { dtype }: FileOptions): Promise<Opened> => {
  if (dtype !== undefined) throw requestError(`${file}: is one file; leave --dtype out, or name its folder`);
  const folder = await folderOf(file);
  if (folder === undefined) return await openForeign(file);
  const { readModel } = await import('../../models/files.ts');
  await beforeReading(folder);
  return { folder, model: await readModel(folder, { file }) };
};

/** As transformers saves models: read as the import stage would. */
const openCheckpoint = async (folder: string, { dtype }: FileOptions): Promise<Opened> => {
  if (dtype !== undefined && dtype !== 'fp32')
    throw requestError(`${folder}: is a checkpoint of Hugging Face, which holds no ${dtype} model`);
  const { importModel } = await import('../../models/importers/index.ts');
  const model = await importModel(resolve(folder), process.cwd(), { head: 'keep' }).catch((error: unknown) => {
    throw reworded(error, (message) => requestError(`${folder}: ${message}`));
  });
  return { folder, model };
};

const openFolder = async (folder: string, options: FileOptions): Promise<Opened> => {
  const { folderKind, readModel } = await import('../../models/files.ts');
  await beforeReading(folder);
  if ((await folderKind(folder)) === 'checkpoint') return await openCheckpoint(folder, options);
  const model = await readModel(folder, options.dtype === undefined ? {} : { precision: options.dtype });
  return { folder, model };
};

/** The model of a stage's folder, of an exported one, of a checkpoint's, or of an ONNX file, in one of the first two or of another maker. */
export const openModel = async (path: string, options: FileOptions): Promise<Opened> => {
  const opened = await openNamed(path, options);
  const { expectRegistered } = await import('../../engine/engines/onnxruntime/registered.ts');
  await called(path, () => expectRegistered(opened.model.graph));
  return opened;
};

const openNamed = async (path: string, options: FileOptions): Promise<Opened> => {
  const entry = await stat(path).catch(() => undefined);
  if (entry?.isDirectory() === true) return await openFolder(path, options);
  if (entry?.isFile() === true) return await openFile(path, options);
  throw requestError(
    `${path}: no such folder; expected a model folder such as runs/NAME/deploy, or a file of one${nearby(path)}`,
  );
};
