import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import stringify from 'safe-stable-stringify';
import { fileSize } from './whole-file.ts';

/** What is read at once stays in a core's cache until it is hashed. All files share it: nothing comes between the two. */
const buffer = Buffer.allocUnsafeSlow(256 * 1024);

/** Pieces between two looks at everything else that waits: some hundredths of a second on a slow disk. */
const BETWEEN = 16;

/**
 * sha256 (in hexadecimal) and size of a file. Reads are waited for here: of what the system holds in memory
 * they take a tenth of the time of hashing, and handing each to a thread and back takes more.
 */
export const digestOfFile = async (path: string): Promise<{ readonly digest: string; readonly size: number }> => {
  fileSize(path);
  const hash = createHash('sha256');
  const file = openSync(path, 'r');
  try {
    let size = 0;
    for (let pieces = 1; ; pieces++) {
      const length = readSync(file, buffer);
      if (length === 0) return { digest: hash.digest('hex'), size };
      hash.update(buffer.subarray(0, length));
      size += length;
      if (pieces % BETWEEN === 0) await setImmediate();
    }
  } finally {
    closeSync(file);
  }
};

/** sha256 of bytes that are in memory. */
export const digestOfBytes = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** sha256 of plain data, whatever the order of its keys. */
export const digestOfJson = (value: unknown): string =>
  createHash('sha256')
    .update(stringify(value) ?? '')
    .digest('hex');
