import { digestOfFile } from '../ground/digest.ts';
import { isMissing, userErrors } from '../ground/errors.ts';

/** A file of a run is not what the run left. */
export const changedFileError = userErrors('changed-file');

/** A file as it was recorded; the size is not always known. */
export interface Recorded {
  readonly digest: string;
  readonly size?: number;
}

const described = ({ digest, size }: Recorded): string =>
  `sha256 ${digest}${size === undefined ? '' : ` (${size} bytes)`}`;

const REMEDY =
  'Run the pipeline again: it puts back what it left there, and computes nothing that is still in the store';

/** Throws where a file does not hold the bytes that were recorded, and says what to do about it. */
export const verifyFile = async (path: string, recorded: Recorded, remedy = REMEDY): Promise<void> => {
  const found = await digestOfFile(path).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (found?.digest === recorded.digest) return;
  const what = found === null ? 'is missing' : `was changed since the run wrote it: found ${described({ ...found })}`;
  throw changedFileError(`${path} ${what}; expected ${described(recorded)}. ${remedy}`);
};
