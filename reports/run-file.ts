import { join } from 'node:path';
import { isMissing } from '../ground/errors.ts';
import { readText } from '../ground/whole-file.ts';

/** Folder of a run in which its records lie. */
export const RECORDS = 'records';
/** The summary of a run in its folder. */
export const runFile = join(RECORDS, 'run.json');

const EARLIER = 'decant.run/1';
/** Records of this version bear checksums of their own, and a folder lacks none of them. */
export const SCHEMA = 'decant.run/2';
export const schemas = [EARLIER, SCHEMA] as const;

const schemaIn = (text: string): unknown => {
  try {
    const run: unknown = JSON.parse(text);
    return typeof run === 'object' && run !== null && 'schema' in run ? run.schema : undefined;
  } catch {
    return undefined;
  }
};

/** Whether a folder holds the record of a run that no earlier version left: whatever else it left must be there, too. */
export const hasSealedRun = async (folder: string): Promise<boolean> => {
  const text = await readText(join(folder, runFile)).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  return text !== null && schemaIn(text) !== EARLIER;
};
