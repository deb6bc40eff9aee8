import { isUserError, systemCode } from '../../ground/errors.ts';
import { manyLines, shortened } from '../../reports/text.ts';
import type { Outcome } from './order.ts';

/** What to do about a file that cannot be written or read, by the code of the system. */
const fileAdvice: Readonly<Record<string, string>> = {
  EACCES: 'change its permissions',
  EPERM: 'change its permissions',
  EROFS: 'the file system is read-only',
  EISDIR: 'a folder is in the way',
  ENOTDIR: 'a file is in the way of a folder',
  ENAMETOOLONG: 'its name is too long',
  EMFILE: 'too many files are open: raise the limit (ulimit -n)',
  EIO: 'the disk fails',
};

const elsewhere =
  'name another folder with --store or --out, and run the same command again: what was finished is kept';

/** Longer messages repeat what a hostile file holds. */
const LONGEST_MESSAGE = 4000;

/** Messages quote files of strangers: nothing in them may steer a terminal or flood it. */
const safe = (text: string): string => shortened(manyLines(text), LONGEST_MESSAGE);

/** How a failure reads to the user. */
export const failureOf = (error: unknown): Outcome => {
  const detail = safe(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const message = safe(error instanceof Error ? error.message : String(error));
  const code = systemCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const advice = `free some space or ${elsewhere}`;
    return { kind: 'failed', code, theirs: true, message: `the disk is full (${message}): ${advice}`, detail };
  }
  const advice = fileAdvice[code];
  if (advice !== undefined) {
    const said = `a file cannot be written or read (${message}): ${advice}, or ${elsewhere}`;
    return { kind: 'failed', code, theirs: true, message: said, detail };
  }
  return isUserError(error)
    ? { kind: 'failed', code: error.code, theirs: true, message, detail }
    : { kind: 'failed', code: 'bug', theirs: false, message, detail };
};
