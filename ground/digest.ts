import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import stringify from 'safe-stable-stringify';

/** Read in pieces: one read of more than 2 GiB aborts Node 20. */
const PIECE = 1024 * 1024;

/** sha256 (in hexadecimal) and size of a file. */
export const digestOfFile = async (path: string): Promise<{ readonly digest: string; readonly size: number }> => {
  const hash = createHash('sha256');
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(PIECE);
    let size = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, PIECE);
      if (bytesRead === 0) return { digest: hash.digest('hex'), size };
      hash.update(buffer.subarray(0, bytesRead));
      size += bytesRead;
    }
  } finally {
    await file.close();
  }
};

/** sha256 of plain data, whatever the order of its keys. */
export const digestOfJson = (value: unknown): string =>
  createHash('sha256')
    .update(stringify(value) ?? '')
    .digest('hex');
