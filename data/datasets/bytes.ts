import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { fileSize } from '../../ground/whole-file.ts';
import { dataError, dataErrors } from '../errors.ts';
import { isGzip } from './file-kinds.ts';

/** A file by the path the user wrote and the one it was found at. */
export interface SourceFile {
  readonly shown: string;
  readonly path: string;
}

/** Bytes that come once, by what messages call them. */
interface SourceStream {
  readonly shown: string;
  readonly stream: AsyncIterable<Buffer>;
}

export type Source = SourceFile | SourceStream;

/** Enough to tell what a file is and how it writes its rows. */
const HEAD_BYTES = 64 * 1024;

/** The same failure as a mistake of the user where it is one. */
export const openError = (error: unknown, source: Source): unknown => {
  const { shown } = source;
  if (!(error instanceof Error && 'code' in error)) return error;
  if (error.code === 'ENOENT' && 'path' in source) return dataErrors.missingFile(shown, source.path);
  if (error.code === 'EISDIR') return dataErrors.unreadableFile(shown, 'it is a folder; name a file');
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

/** What is unpacked, as far as it may go for as many packed bytes. */
async function* bounded(chunks: AsyncIterable<Buffer>, shown: string, packed: () => number): AsyncGenerator<Buffer> {
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    const most = Math.min(MOST_UNPACKED, LEAST_UNPACKED + MOST_GROWTH * packed());
    if (length > most) throw dataErrors.gzipBomb(shown, packed(), most);
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

/** Bytes, unpacked where their first ones say that they are gzip. How many there are is not always known before. */
async function* unpacked(source: AsyncIterable<Buffer>, shown: string, size?: number): AsyncGenerator<Buffer> {
  const pieces = headFirst(source);
  const first = await pieces.next();
  if (first.done === true) return;
  let count = 0;
  async function* all(): AsyncGenerator<Buffer> {
    try {
      count += first.value.length;
      yield first.value;
      for await (const piece of pieces) {
        count += piece.length;
        yield piece;
      }
    } finally {
      await pieces.return(undefined);
    }
  }
  if (!isGzip(first.value)) return yield* all();
  // The callback is for pipeline's sake: failures reach the loop below through the last stream.
  const chunks: AsyncIterable<Buffer> = pipeline(Readable.from(all()), createGunzip(), () => {});
  yield* headFirst(bounded(chunks, shown, () => size ?? count));
}

/** The bytes of a source, unpacked where they are gzip; the first piece has 64 KB where there are as many. */
export async function* sourceBytes(source: Source): AsyncGenerator<Buffer> {
  try {
    if ('stream' in source) return yield* unpacked(source.stream, source.shown);
    const size = sizeOfSource(source);
    yield* unpacked(createReadStream(source.path), source.shown, size);
  } catch (error) {
    throw openError(error, source);
  }
}

/** The first bytes of a file, unpacked; none where it is empty. */
export const fileHead = async (file: SourceFile): Promise<Buffer> => {
  for await (const head of sourceBytes(file)) return head;
  return Buffer.alloc(0);
};
