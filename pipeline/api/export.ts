import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { reworded } from '../../ground/errors.ts';
import type { QuantizeContext } from '../../stages/quantize/subject.ts';
import { requestError } from '../diagnostic.ts';
import { limited, type Work } from '../guard/limits.ts';
import { defaultThreads } from '../plan/threads.ts';
import { abandonedFoldersIn, temporaryFor } from '../store/atomic.ts';
import { type Models, type Reading, withModels } from './named.ts';
import { isOffline } from './offline.ts';
import { expectFreeFolder } from './out-folder.ts';
import type { Exported, ExportOptions } from './types/models.ts';

/** The float model with an INT8 one beside it. */
const withQuantized = async (models: Models, path: string, running: QuantizeContext): Promise<Models> => {
  const source = models.get('fp32');
  if (source === undefined || models.has('q8')) {
    throw requestError(`${path}: holds an INT8 model already; leave out --quantize`);
  }
  const { expectBounded } = await import('../../models/bounded.ts');
  expectBounded(source.graph);
  const { quantizeModel } = await import('../../stages/quantize/work.ts');
  const { config } = await import('../../stages/quantize/config.ts');
  // No texts are at hand here, so that nothing is evened out.
  const { model } = await quantizeModel(source, config.parse({ smooth: false }), undefined, running).catch(
    (error: unknown) => Promise.reject(reworded(error, (reason) => requestError(`${path}: ${reason}`))),
  );
  return new Map([...models, ['q8', model]]);
};

/** Each file is loaded once and reads two short texts. */
const workOf = async (models: Models): Promise<Work> => {
  const { weightBytes } = await import('../../graph/codec/index.ts');
  const weights = [...models.values()].reduce((sum, { graph }) => sum + weightBytes(graph), 0);
  return { files: weights, rows: 2, longest: 64 };
};

/** A folder that may be written: a new one, an empty one, or one that decant exported. */
const checkTarget = async (folder: string): Promise<void> => {
  const { folderKind } = await import('../../models/files.ts');
  const mayGo = async (): Promise<boolean> => (await folderKind(folder)) === 'exported';
  const replaces = { mayGo, held: ' that decant did not export' };
  await expectFreeFolder(folder, { expected: 'the name of a folder to write', replaces });
};

/** Replaces what an earlier export wrote by the files of a finished one; files of anybody else stay. */
const place = async (finished: string, folder: string): Promise<void> => {
  const { exportFiles } = await import('../../stages/export/folder.ts');
  const { listFiles } = await import('../store/hash.ts');
  const files = await listFiles(finished);
  for (const file of exportFiles.filter((name) => !files.includes(name))) await rm(join(folder, file), { force: true });
  for (const file of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await rename(join(finished, file), join(folder, file));
  }
};

/** Removes what exports into the same parent that were killed left there: whole models. */
const sweepBeside = async (folder: string): Promise<void> => {
  for (const path of await abandonedFoldersIn(dirname(folder))) await rm(path, { recursive: true, force: true });
};

/** Writes beside the target and moves what is proved to load: a folder is never half an export. */
const write = async (models: Models, folder: string, threads: number, signal: AbortSignal): Promise<Exported> => {
  const { exportModels } = await import('../../stages/export/folder.ts');
  const { onnxFile } = await import('../../models/precision.ts');
  const { forgetPlaced } = await import('../execute/placed.ts');
  await sweepBeside(resolve(folder));
  const temporary = temporaryFor(resolve(folder));
  try {
    await mkdir(temporary, { recursive: true });
    const sizes = await exportModels(temporary, models, { threads, results: '' });
    signal.throwIfAborted();
    await forgetPlaced(folder);
    await place(temporary, folder);
    const [shared] = models.values();
    if (shared === undefined) throw new Error('a folder of models holds at least one');
    const { task, modelType, labels } = shared.info;
    const { clientLimits } = await import('../../data/tokenizers/client-limits.ts');
    const unsupported = shared.tokenizer === undefined ? [] : clientLimits(shared.tokenizer);
    const files = [...models.keys()].map((precision) => ({
      precision,
      file: onnxFile(precision),
      bytes: sizes[precision] ?? 0,
    }));
    return { folder, to: 'transformers-js', task, modelType, labels, unsupported, files };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
};

/** Writes the model behind a name as a folder that Hugging Face's clients load. */
export const exportTo = async (
  name: string,
  folder: string,
  options: ExportOptions,
  emit: Reading['emit'],
): Promise<Exported> => {
  const { threads = defaultThreads(), signal = new AbortController().signal } = options;
  await checkTarget(folder);
  const reading = { work: `${resolve(folder)}.download`, offline: isOffline(options), signal, emit };
  return await withModels(name, reading, async (models) => {
    signal.throwIfAborted();
    const { renew } = await limited(() => workOf(models));
    const all =
      options.quantize === true ? await withQuantized(models, name, { threads, signal, onProgress: renew }) : models;
    return await write(all, folder, threads, signal);
  });
};
