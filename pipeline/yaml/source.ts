import { readFile, stat } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { systemCode, type UserError } from '../../ground/errors.ts';
import { nearby } from '../../ground/near.ts';
import { otherThanFile } from '../../ground/whole-file.ts';
import { type Diagnostic, requestError, requestProblems, type Source } from '../diagnostic.ts';

const isUtf8 = (bytes: Uint8Array, stream: boolean): boolean => {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream });
    return true;
  } catch {
    return false;
  }
};

/** Offset of the first byte that is not UTF-8; undefined when all are. */
const firstBadByte = (bytes: Uint8Array): number | undefined => {
  if (isUtf8(bytes, false)) return undefined;
  let [good, bad] = [0, bytes.length + 1];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isUtf8(bytes.subarray(0, middle), true)) good = middle;
    else bad = middle;
  }
  // A character that was begun and not finished is bad from its first byte on.
  while (!isUtf8(bytes.subarray(0, good), false)) good--;
  return good;
};

const badEncoding = (name: string, bytes: Uint8Array, at: number): Diagnostic => {
  const text = new TextDecoder('utf-8').decode(bytes);
  const start = new TextDecoder('utf-8').decode(bytes.subarray(0, at)).length;
  const byte = (bytes[at] ?? 0).toString(16).padStart(2, '0');
  return {
    code: 'not-utf-8',
    message: `the file is not UTF-8: byte 0x${byte} at offset ${at}`,
    span: { source: { name, text }, start, end: start + 1 },
    hints: ['save the file as UTF-8'],
  };
};

/** A YAML file is read in one go: this is far more than anyone writes, and catches a model or data file given by mistake. */
const LARGEST_FILE = 1024 * 1024;

/** What a file is for: said where it is missing or something else. */
export interface Purpose {
  readonly name: string;
  readonly hint: string;
}

const pipelineFile: Purpose = {
  name: 'a pipeline file in YAML',
  hint: 'Name a pipeline file, or write one for your data: decant init FILE.csv',
};

/** What the system says of a file, in words. */
const unreadable = (name: string, purpose: Purpose, error: unknown): UserError => {
  const code = systemCode(error);
  return requestError(
    code === 'ENOENT'
      ? `${name}: no such file${nearby(name) || '.'} ${purpose.hint}`
      : `${name}: cannot be read (${code || String(error)})`,
  );
};

/** Whether it is a file that fits is asked before it is read: a device has no end, and a pipe may never answer. */
const bytesOf = async (path: string, name: string, purpose: Purpose): Promise<Uint8Array> => {
  const refused = (error: unknown): never => {
    throw unreadable(name, purpose, error);
  };
  const found = await stat(path).catch(refused);
  const other = otherThanFile(found);
  if (other !== undefined) throw requestError(`${name}: is ${other}; expected ${purpose.name}`);
  if (found.size > LARGEST_FILE) {
    throw requestError(`${name}: is ${found.size} bytes long; expected ${purpose.name} of at most 1 MiB`);
  }
  return await readFile(path).catch(refused);
};

/** The file as text, named relative to the current folder. */
export const readSource = async (file: string, purpose: Purpose = pipelineFile): Promise<Source> => {
  const path = resolve(file);
  const name = relative(process.cwd(), path) || path;
  const bytes = await bytesOf(path, name, purpose);
  const bad = firstBadByte(bytes);
  if (bad !== undefined) throw requestProblems([badEncoding(name, bytes, bad)]);
  return { name, text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).replace(/^\uFEFF/, '') };
};
