import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { fileSize } from '../../ground/whole-file.ts';
import { dataError, dataErrors } from '../errors.ts';
import { isGzip } from './file-kinds.ts';

/** A file by the path the user wrote and the one it was found at. */
export interface SourceFile {
  readonly shown: string;
  readonly path: string;
}

/** Enough to tell what a file is and how it writes its rows. */
const HEAD_BYTES = 64 * 1024;

/** The same failure as a mistake of the user where it is one. */
export const openError = (error: unknown, { shown, path }: SourceFile): unknown => {
  if (!(error instanceof Error && 'code' in error)) return error;
  if (error.code === 'ENOENT') return dataErrors.missingFile(shown, path);
  if (error.code === 'EACCES') return dataErrors.unreadableFile(shown, 'permission denied');
  if (typeof error.code === 'string' && error.code.startsWith('Z_')) {
    return dataErrors.unreadableFile(shown, `its gzip is damaged or cut (${error.message}); fetch it once more`);
  }
  return error;
};

/** The size of a file of data. A pipe can be read once only, and a device has no end. */
export const sizeOfSource = (file: SourceFile): number => {
  const { shown: called, path } = file;
  try {
    return fileSize(path, { refuse: (message) => dataError('unreadable-file', message), called });
  } catch (error) {
    throw openError(error, file);
  }
};

/** Texts become a tenth or a hundredth in gzip: what grows more, or is as large as no memory, is no table of texts. */
const LEAST_UNPACKED = 2 ** 26;
const MOST_GROWTH = 200;
const MOST_UNPACKED = 2 ** 36;

/** What is unpacked, as far as it may go. */
async function* bounded(chunks: AsyncIterable<Buffer>, { shown }: SourceFile, packed: number): AsyncGenerator<Buffer> {
  const most = Math.min(MOST_UNPACKED, LEAST_UNPACKED + MOST_GROWTH * packed);
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > most) throw dataErrors.gzipBomb(shown, packed, most);
    yield chunk;
  }
}

/** The first piece holds the head whole, so that whoever reads it need not wait for more. */
async function* headFirst(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const head: Buffer[] = [];
  let length = 0;
  let complete = false;
  for await (const chunk of chunks) {
    if (complete) {
      yield chunk;
      continue;
    }
    head.push(chunk);
    length += chunk.length;
    complete = length >= HEAD_BYTES;
    if (complete) yield Buffer.concat(head);
  }
  if (!complete && length > 0) yield Buffer.concat(head);
}

const startOf = async (path: string): Promise<Buffer> => {
  for await (const chunk of createReadStream(path, { end: 15 })) return chunk;
  return Buffer.alloc(0);
};

/** The bytes of a file, unpacked where they are gzip; the first piece has 64 KB where there are as many. */
export async function* fileBytes(file: SourceFile): AsyncGenerator<Buffer> {
  try {
    const size = sizeOfSource(file);
    const packed = isGzip(await startOf(file.path));
    const source = createReadStream(file.path);
    // The callback is for pipeline's sake: failures reach the loop below through the last stream.
    if (!packed) return yield* headFirst(source);
    yield* headFirst(
      bounded(
        pipeline(source, createGunzip(), () => {}),
        file,
        size,
      ),
    );
  } catch (error) {
    throw openError(error, file);
  }
}

/** The first bytes of a file, unpacked; none where it is empty. */
export const fileHead = async (file: SourceFile): Promise<Buffer> => {
  for await (const head of fileBytes(file)) return head;
  return Buffer.alloc(0);
};
