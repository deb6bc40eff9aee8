import { createReadStream } from 'node:fs';
import { dataErrors } from '../errors.ts';

/** Whole lines of a file, and the number of the first of them. */
export interface TextBlock {
  readonly text: string;
  readonly line: number;
}

/** A file by the path the user wrote and the one it was found at. */
export interface SourceFile {
  readonly shown: string;
  readonly path: string;
}

const NEWLINE = 0x0a;

const countLines = (bytes: Uint8Array): number => {
  let lines = 0;
  for (const byte of bytes) if (byte === NEWLINE) lines++;
  return lines;
};

/** Bytes of a multi-byte character are never a newline, so lines can be told apart before decoding. */
const badLine = (bytes: Buffer, first: number): number => {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = first;
  for (let at = 0; at < bytes.length; line++) {
    const end = bytes.indexOf(NEWLINE, at);
    const next = end < 0 ? bytes.length : end + 1;
    try {
      decoder.decode(bytes.subarray(at, next));
    } catch {
      return line;
    }
    at = next;
  }
  return first;
};

const decoded = (bytes: Buffer, line: number, shown: string): TextBlock => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { text: text.replaceAll('\r\n', '\n'), line };
  } catch {
    throw dataErrors.notUtf8(`${shown}:${badLine(bytes, line)}`);
  }
};

/** The same failure as a mistake of the user where it is one. */
export const openError = (error: unknown, { shown, path }: SourceFile): unknown => {
  if (!(error instanceof Error && 'code' in error)) return error;
  if (error.code === 'ENOENT') return dataErrors.missingFile(shown, path);
  if (error.code === 'EISDIR') return dataErrors.unreadableFile(shown, 'it is a folder; name a file');
  if (error.code === 'EACCES') return dataErrors.unreadableFile(shown, 'permission denied');
  return error;
};

/** Streams a UTF-8 file (a byte order mark is dropped, CRLF becomes LF) in blocks that end at line ends. */
export async function* textBlocks(file: SourceFile): AsyncGenerator<TextBlock> {
  let rest: Buffer = Buffer.alloc(0);
  let line = 1;
  try {
    for await (const chunk of createReadStream(file.path)) {
      const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const end = bytes.lastIndexOf(NEWLINE) + 1;
      rest = bytes.subarray(end);
      if (end === 0) continue;
      const whole = bytes.subarray(0, end);
      yield decoded(whole, line, file.shown);
      line += countLines(whole);
    }
  } catch (error) {
    throw openError(error, file);
  }
  if (rest.length > 0) yield decoded(rest, line, file.shown);
}
