import { digestOfFile } from '../ground/digest.ts';
import { isMissing, userErrors } from '../ground/errors.ts';
import { fileSize } from '../ground/whole-file.ts';

/** A file of a run is not what the run left. */
export const changedFileError = userErrors('changed-file');

/** A file as it was recorded; the size is not always known. */
export interface Recorded {
  readonly digest: string;
  readonly size?: number;
}

const described = ({ digest, size }: Partial<Recorded>): string =>
  digest === undefined ? `${size} bytes` : `sha256 ${digest}${size === undefined ? '' : ` (${size} bytes)`}`;

const REMEDY =
  'Run the pipeline again: it puts back what it left there, and computes nothing that is still in the store';

/** What a file holds; of one that grew the size is enough, and to hash it might take for ever. Null where it is missing. */
const foundAt = async (
  path: string,
  { size }: Recorded,
): Promise<{ readonly digest?: string; readonly size: number } | null> => {
  try {
    const found = fileSize(path);
    return size !== undefined && found > size ? { size: found } : await digestOfFile(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
};

/** Throws where a file does not hold the bytes that were recorded, and says what to do about it. */
export const verifyFile = async (path: string, recorded: Recorded, remedy = REMEDY): Promise<void> => {
  const found = await foundAt(path, recorded);
  if (found?.digest === recorded.digest) return;
  const what = found === null ? 'is missing' : `was changed since the run wrote it: found ${described(found)}`;
  throw changedFileError(`${path} ${what}; expected ${described(recorded)}. ${remedy}`);
};
