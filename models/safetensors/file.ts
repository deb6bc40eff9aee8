import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { fileBytes } from '../../graph/codec/index.ts';
import type { Bytes } from '../../graph/tensor.ts';
import { isUserError } from '../../ground/errors.ts';
import { fileSize } from '../../ground/whole-file.ts';
import { importError } from '../importers/importer.ts';
import { checkEntries, type Entry, parseHeader } from './header.ts';
import { headerError } from './scanner.ts';

/** A tensor as its file has it: elements of a type of the format, read when they are needed. */
export interface StoredTensor {
  readonly file: string;
  readonly dtype: string;
  readonly dims: readonly number[];
  readonly bytes: Bytes;
}

/** Tensors by name. */
export type StoredTensors = ReadonlyMap<string, StoredTensor>;

/** The length of the header stands in the first 8 bytes. */
const LENGTH_BYTES = 8;
/**
 * Room for some 200,000 tensors. The format allows 100 MB: to look through as much takes seconds and a gigabyte, which a
 * file that lies could ask for, and no encoder comes near.
 */
const HEADER_LIMIT = 25_000_000;

const readAt = (file: number, offset: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const count = readSync(file, bytes, done, length - done, offset + done);
    if (count === 0) throw headerError(`the file ends at byte ${offset + done}: it was cut short`);
    done += count;
  }
  return bytes;
};

const headerLength = (file: number, size: number): number => {
  if (size < LENGTH_BYTES) throw headerError(`the file has ${size} bytes, less than the length of a header takes`);
  const bytes = readAt(file, 0, LENGTH_BYTES);
  const announced = new DataView(bytes.buffer).getBigUint64(0, true);
  if (announced > BigInt(size - LENGTH_BYTES)) {
    throw headerError(
      `it announces a header of ${announced} bytes, ${size - LENGTH_BYTES} are there: it was cut short or is no safetensors file`,
    );
  }
  if (announced > BigInt(HEADER_LIMIT)) {
    throw headerError(
      `it announces a header of ${announced} bytes; decant reads at most ${HEADER_LIMIT}, room for some 200,000 tensors: ` +
        'it was damaged, or is no Transformer',
    );
  }
  return Number(announced);
};

const decoded = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw headerError('the header is no UTF-8 text');
  }
};

const readHeader = (path: string): { readonly entries: readonly Entry[]; readonly dataStart: number } => {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const length = headerLength(file, size);
    const entries = parseHeader(decoded(readAt(file, LENGTH_BYTES, length)));
    const dataStart = LENGTH_BYTES + length;
    checkEntries(entries, size - dataStart);
    return { entries, dataStart };
  } finally {
    closeSync(file);
  }
};

/**
 * The tensors of one safetensors file. Its header is checked against the file before any tensor is read: types, sizes, no
 * gap, no overlap, nothing beyond the end.
 */
export const readSafetensors = (path: string): StoredTensors => {
  const file = basename(path);
  fileSize(path, { called: file, refuse: importError });
  try {
    const { entries, dataStart } = readHeader(path);
    return new Map(
      entries.map(({ name, dtype, dims, begin, end }) => [
        name,
        { file, dtype, dims, bytes: fileBytes(path, dataStart + begin, end - begin) },
      ]),
    );
  } catch (error) {
    if (isUserError(error, 'header')) throw importError(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
};
