import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a teacher said about texts, by example id. */
export interface TeacherOutputs {
  /** Class names by logit. */
  readonly classes: readonly string[];
  readonly ids: Int32Array;
  /** (texts, classes), row-major. */
  readonly logits: Float32Array;
}

interface Header {
  readonly schema: 'decant.teacher-outputs/1';
  readonly classes: readonly string[];
  readonly examples: number;
}

const bytes = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Writes outputs.json with ids.i32 and logits.f32 (little-endian) beside it. */
export const writeTeacherOutputs = async (folder: string, { classes, ids, logits }: TeacherOutputs): Promise<void> => {
  const header: Header = { schema: 'decant.teacher-outputs/1', classes, examples: ids.length };
  await writeFile(join(folder, 'outputs.json'), `${JSON.stringify(header)}\n`);
  await writeFile(join(folder, 'ids.i32'), bytes(ids));
  await writeFile(join(folder, 'logits.f32'), bytes(logits));
};

const words = async (file: string): Promise<ArrayBuffer> => {
  const content = await readFile(file);
  return Uint8Array.from(content).buffer;
};

/** Reads what `writeTeacherOutputs` wrote; `path` maps a file name to where it lies. */
export const readTeacherOutputs = async (path: (file: string) => string): Promise<TeacherOutputs> => {
  const header: Header = JSON.parse(await readFile(path('outputs.json'), 'utf8'));
  if (header.schema !== 'decant.teacher-outputs/1') {
    throw new Error(`teacher outputs of schema '${header.schema}', expected 'decant.teacher-outputs/1'`);
  }
  const ids = new Int32Array(await words(path('ids.i32')));
  const logits = new Float32Array(await words(path('logits.f32')));
  if (ids.length !== header.examples || logits.length !== header.examples * header.classes.length) {
    throw new Error(`outputs.json announces ${header.examples} texts, the files hold ${ids.length}`);
  }
  return { classes: header.classes, ids, logits };
};

/** Logits in the order of the given ids. */
export const logitsFor = ({ classes, ids, logits }: TeacherOutputs, wanted: readonly number[]): Float32Array => {
  const rows = new Map(Array.from(ids, (id, row) => [id, row]));
  const width = classes.length;
  const ordered = new Float32Array(wanted.length * width);
  wanted.forEach((id, i) => {
    const row = rows.get(id);
    if (row === undefined) throw new Error(`the teacher said nothing about example ${id}`);
    ordered.set(logits.subarray(row * width, (row + 1) * width), i * width);
  });
  return ordered;
};
