import { columnOf, readTable, writeTable } from '../../data/columns.ts';
import { blankRows, copyRows, type Rows, rowsIn, rowsTable } from '../../data/rows.ts';
import { UserError } from '../../ground/errors.ts';

/** What a teacher said about texts or their words, by the ids of the texts. */
export interface TeacherOutputs {
  /** Class names by logit; none where the teacher gave vectors. */
  readonly classes: readonly string[];
  readonly ids: Int32Array;
  /** Answers about text t are the rows from starts[t] up to starts[t + 1]. */
  readonly starts: Int32Array;
  readonly rows: Rows;
  /** Whose tokens the answers are about and of, where they are of tokens: the digest of a tokenizer. */
  readonly tokens?: string | undefined;
  /** What its scores were divided by before the largest were kept, where that is not 1. */
  readonly temperature?: number | undefined;
}

const FILE = 'outputs.json';
const SCHEMA = 'decant.teacher-outputs/3';

/** Writes outputs.json with its columns beside it: see data/columns.ts. */
export const writeTeacherOutputs = (folder: string, outputs: TeacherOutputs): Promise<void> => {
  const { classes, ids, starts, rows, tokens, temperature } = outputs;
  const { header, columns } = rowsTable(rows);
  return writeTable(folder, FILE, {
    header: {
      ...{ schema: SCHEMA, classes, ...header },
      ...(tokens === undefined ? {} : { tokens }),
      ...(temperature === undefined ? {} : { temperature }),
    },
    columns: { ids, starts, ...columns },
  });
};

/** Reads what `writeTeacherOutputs` wrote; `path` maps a file name to where it lies. */
export const readTeacherOutputs = async (path: (file: string) => string): Promise<TeacherOutputs> => {
  const table = await readTable(path, FILE, SCHEMA);
  const { classes, tokens, temperature } = table.header;
  const [ids, starts] = [columnOf(table, 'ids', 'i32'), columnOf(table, 'starts', 'i32')];
  const answers = starts.at(-1) ?? 0;
  const rows = rowsIn(table, answers);
  if (!Array.isArray(classes) || starts.length !== ids.length + 1 || rows.data.length !== answers * rows.columns) {
    throw new UserError(`${path(FILE)} is about ${ids.length} texts, its answers are about others: a file is damaged`);
  }
  return {
    ...{ classes: classes.map(String), ids, starts, rows },
    ...(typeof tokens === 'string' ? { tokens } : {}),
    ...(typeof temperature === 'number' ? { temperature } : {}),
  };
};

/** What was said about the texts of these ids, in their order. */
export const answersFor = ({ ids, starts, rows }: TeacherOutputs, wanted: readonly number[]): Rows => {
  // A million words are not copied where all of them are wanted as they are.
  if (wanted.length === ids.length && wanted.every((id, i) => id === ids[i])) return rows;
  const texts = new Map(Array.from(ids, (id, text) => [id, text]));
  const spans = wanted.map((id): readonly [start: number, end: number] => {
    const text = texts.get(id);
    if (text === undefined) throw new Error(`the teacher said nothing about example ${id}`);
    return [starts[text] ?? 0, starts[text + 1] ?? 0];
  });
  const count = spans.reduce((sum, [start, end]) => sum + end - start, 0);
  const ordered = blankRows(count, rows.width, rows.columns);
  let at = 0;
  for (const span of spans) {
    copyRows(rows, span, ordered, at);
    at += span[1] - span[0];
  }
  return ordered;
};
