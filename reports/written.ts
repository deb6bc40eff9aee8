import { join } from 'node:path';
import { z } from 'zod';
import { isMissing } from '../ground/errors.ts';
import { readText } from '../ground/whole-file.ts';
import { verifySealedRecord } from './checksum.ts';
import { hasSealedRun } from './run-file.ts';
import { changedFileError, verifyFile } from './verify.ts';

/** Where a run's folder says what its reports were made from, and what they and the record of the run are, by hash. */
export const writtenFile = join('records', 'reports.json');

const schema = z.object({
  /** Reports of a folder are counted from 1; earlier versions kept one. */
  number: z.int().positive().default(1),
  basis: z.string(),
  /** Digests by relative path. */
  files: z.record(z.string(), z.string()),
  checksum: z.string().exactOptional(),
});

export type Written = Readonly<Omit<z.infer<typeof schema>, 'checksum'>>;

const AGAIN = 'Run the pipeline again: it writes them anew';

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** What a folder says of its reports; null where it says nothing, as folders of earlier versions. */
export const readWritten = async (folder: string): Promise<Written | null> => {
  const file = join(folder, writtenFile);
  const text = await readText(file).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  const mustBeSealed = await hasSealedRun(folder);
  if (text === null && !mustBeSealed) return null;
  if (text === null) throw changedFileError(`${file} is missing; expected the digests of this run's reports. ${AGAIN}`);
  const { data } = schema.safeParse(parsed(text));
  if (data === undefined)
    throw changedFileError(`${file} is damaged: expected the digests of this run's reports. ${AGAIN}`);
  if (mustBeSealed || data.checksum !== undefined) verifySealedRecord(data, file);
  return data;
};

/** Throws where one of these files is not what the run left. */
export const verifyWritten = async (folder: string, files: readonly string[]): Promise<void> => {
  const written = await readWritten(folder);
  if (written === null) return;
  for (const file of files) {
    const digest = written.files[file];
    if (digest === undefined)
      throw changedFileError(`${join(folder, writtenFile)} is damaged: expected the digest of ${file} in it. ${AGAIN}`);
    await verifyFile(join(folder, file), { digest });
  }
};
