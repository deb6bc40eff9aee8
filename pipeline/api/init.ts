import type { InitOptions } from '../first/options.ts';
import type { Initialized } from './types/pipelines.ts';

/** Writes a commented pipeline for files of texts, once all of them were read as a run would. */
export const initFile = async (options: InitOptions): Promise<Initialized> => {
  const { init } = await import('../first/file.ts');
  return { file: options.out, summary: await init(options) };
};
