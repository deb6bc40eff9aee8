import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { systemCode } from '../../ground/errors.ts';
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
  hint: 'Name a pipeline file, or write one for your data: decant init --data FILE.csv',
};

/** The file as text, named relative to the current folder. */
export const readSource = async (file: string, purpose: Purpose = pipelineFile): Promise<Source> => {
  const path = resolve(file);
  const name = relative(process.cwd(), path) || path;
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') {
      throw requestError(`${name}: no such file. ${purpose.hint}`);
    }
    if (code === 'EISDIR') throw requestError(`${name}: is a folder; expected ${purpose.name}`);
    throw requestError(`${name}: cannot be read (${code || String(error)})`);
  }
  if (bytes.length > LARGEST_FILE) {
    throw requestError(`${name}: is ${bytes.length} bytes long; expected ${purpose.name} of at most 1 MiB`);
  }
  const bad = firstBadByte(bytes);
  if (bad !== undefined) throw requestProblems([badEncoding(name, bytes, bad)]);
  return { name, text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).replace(/^\uFEFF/, '') };
};
