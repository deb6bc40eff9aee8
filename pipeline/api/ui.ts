import { checkRunsFolder } from './runs.ts';
import type { Ui, UiOptions } from './types/pipelines.ts';

/** Serves the page of a folder of runs, or of one run. */
export const serveRuns = async (folder: string, { port = 0 }: UiOptions): Promise<Ui> => {
  await checkRunsFolder(folder);
  const { serve } = await import('../ui/server.ts');
  return await serve(folder, port);
};
