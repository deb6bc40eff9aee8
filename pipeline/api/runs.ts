import { stat } from 'node:fs/promises';
import type { Listed } from '../clean/runs.ts';
import { requestError } from '../diagnostic.ts';

/** Throws where there is no folder that runs could lie in. */
export const checkRunsFolder = async (folder: string): Promise<void> => {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw requestError(`${folder}: no such folder; expected a folder of runs, as decant run leaves it beside the file`);
  }
};

/** The reports in a folder of runs, or of one run, the newest first. */
export const runsIn = async (folder: string): Promise<readonly Listed[]> => {
  await checkRunsFolder(folder);
  const { listRuns } = await import('../clean/runs.ts');
  return await listRuns(folder);
};
