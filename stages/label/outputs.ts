import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blankScores, type Scores } from '../../data/scores.ts';
import { UserError } from '../../ground/errors.ts';

/** What a teacher said about texts or their words, by the ids of the texts. */
export interface TeacherOutputs {
  /** Class names by logit; none where the teacher gave vectors. */
  readonly classes: readonly string[];
  readonly ids: Int32Array;
  /** Answers about text t are the rows from starts[t] up to starts[t + 1]. */
  readonly starts: Int32Array;
  readonly scores: Scores;
}

interface Header {
  readonly schema: 'decant.teacher-outputs/2';
  readonly classes: readonly string[];
  readonly texts: number;
  readonly answers: number;
  /** Numbers of an answer, and how many of them were kept. */
  readonly width: number;
  readonly columns: number;
}

const bytes = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Writes outputs.json with ids.i32, starts.i32, logits.f32 and kept.u16 (little-endian) beside it. */
export const writeTeacherOutputs = async (folder: string, outputs: TeacherOutputs): Promise<void> => {
  const { classes, ids, starts, scores } = outputs;
  const { classes: width, columns, logits, kept } = scores;
  const answers = starts.at(-1) ?? 0;
  const header: Header = {
    ...{ schema: 'decant.teacher-outputs/2', classes, texts: ids.length, answers, width, columns },
  };
  await writeFile(join(folder, 'outputs.json'), `${JSON.stringify(header)}\n`);
  await writeFile(join(folder, 'ids.i32'), bytes(ids));
  await writeFile(join(folder, 'starts.i32'), bytes(starts));
  await writeFile(join(folder, 'logits.f32'), bytes(logits));
  if (kept !== undefined) await writeFile(join(folder, 'kept.u16'), bytes(kept));
};

const words = async (file: string): Promise<ArrayBuffer> => {
  const content = await readFile(file);
  return Uint8Array.from(content).buffer;
};

/** Reads what `writeTeacherOutputs` wrote; `path` maps a file name to where it lies. */
export const readTeacherOutputs = async (path: (file: string) => string): Promise<TeacherOutputs> => {
  const header: Header = JSON.parse(await readFile(path('outputs.json'), 'utf8'));
  if (header.schema !== 'decant.teacher-outputs/2') {
    throw new UserError(`teacher outputs of schema '${header.schema}', expected 'decant.teacher-outputs/2'`);
  }
  const { classes, texts, answers, width, columns } = header;
  const ids = new Int32Array(await words(path('ids.i32')));
  const starts = new Int32Array(await words(path('starts.i32')));
  const logits = new Float32Array(await words(path('logits.f32')));
  if (ids.length !== texts || starts.at(-1) !== answers || logits.length !== answers * columns) {
    throw new UserError(
      `outputs.json announces ${answers} answers about ${texts} texts, the files hold ${starts.at(-1)} about ${ids.length}`,
    );
  }
  const kept = columns === width ? {} : { kept: new Uint16Array(await words(path('kept.u16'))) };
  return { classes, ids, starts, scores: { classes: width, columns, logits, ...kept } };
};

/** What was said about the texts of these ids, in their order. */
export const answersFor = ({ ids, starts, scores }: TeacherOutputs, wanted: readonly number[]): Scores => {
  // A million words are not copied where all of them are wanted as they are.
  if (wanted.length === ids.length && wanted.every((id, i) => id === ids[i])) return scores;
  const texts = new Map(Array.from(ids, (id, text) => [id, text]));
  const rows = wanted.map((id): readonly [start: number, end: number] => {
    const text = texts.get(id);
    if (text === undefined) throw new Error(`the teacher said nothing about example ${id}`);
    return [starts[text] ?? 0, starts[text + 1] ?? 0];
  });
  const { classes, columns } = scores;
  const count = rows.reduce((sum, [start, end]) => sum + end - start, 0);
  const ordered = blankScores(count, classes, columns);
  let at = 0;
  for (const [start, end] of rows) {
    ordered.logits.set(scores.logits.subarray(start * columns, end * columns), at * columns);
    if (scores.kept !== undefined)
      ordered.kept?.set(scores.kept.subarray(start * columns, end * columns), at * columns);
    at += end - start;
  }
  return ordered;
};
