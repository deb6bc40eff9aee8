import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isMissing } from '../ground/errors.ts';
import { changedFileError, verifyFile } from './verify.ts';

/** Where a run's folder says what its reports were made from, and what they and the record of the run are, by hash. */
export const writtenFile = join('records', 'reports.json');

const schema = z.object({
  /** Reports of a folder are counted from 1; earlier versions kept one. */
  number: z.int().positive().default(1),
  basis: z.string(),
  /** Digests by relative path. */
  files: z.record(z.string(), z.string()),
});

export type Written = Readonly<z.infer<typeof schema>>;

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
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (text === null) return null;
  const { data } = schema.safeParse(parsed(text));
  if (data !== undefined) return data;
  throw changedFileError(
    `${file} is damaged: expected the digests of this run's reports. Run the pipeline again: it writes them anew`,
  );
};

/** Throws where one of these files is not what the run left. */
export const verifyWritten = async (folder: string, files: readonly string[]): Promise<void> => {
  const written = await readWritten(folder);
  for (const file of files) {
    const digest = written?.files[file];
    if (digest !== undefined) await verifyFile(join(folder, file), { digest });
  }
};
