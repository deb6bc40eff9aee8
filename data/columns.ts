import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../ground/errors.ts';
import { readText } from '../ground/whole-file.ts';

/** How the numbers of a column lie in its file, little-endian, by the ending of its name. */
const arrays = { i32: Int32Array, u32: Uint32Array, f32: Float32Array, u16: Uint16Array, u8: Uint8Array } as const;

export type Column = Int32Array | Uint32Array | Float32Array | Uint16Array | Uint8Array;

const kinds = ['i32', 'u32', 'f32', 'u16', 'u8'] as const;
type Kind = (typeof kinds)[number];

const kindOf = (column: Column): Kind => kinds.find((kind) => column instanceof arrays[kind]) ?? 'u8';

/** What stands beside columns: their schema, and facts that are no numbers a row. */
export interface Header {
  readonly schema: string;
  readonly [fact: string]: unknown;
}

/** A header, and columns by name. */
export interface Table {
  readonly header: Header;
  readonly columns: Readonly<Record<string, Column>>;
}

const bytes = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Writes the header as JSON and each column into a file of its own beside it. Empty columns have files, too. */
export const writeTable = async (folder: string, file: string, { header, columns }: Table): Promise<void> => {
  const entries = Object.entries(columns);
  const listed = Object.fromEntries(entries.map(([name, column]) => [name, [kindOf(column), column.length]]));
  await writeFile(join(folder, file), `${JSON.stringify({ ...header, columns: listed })}\n`);
  for (const [name, column] of entries) await writeFile(join(folder, `${name}.${kindOf(column)}`), bytes(column));
};

const listSchema = z.record(z.string(), z.tuple([z.enum(kinds), z.int().nonnegative()]));
const headerSchema = z.looseObject({ schema: z.string() });

/** The numbers of a file. */
export const readColumn = async <K extends Kind>(path: string, kind: K): Promise<InstanceType<(typeof arrays)[K]>> => {
  // A buffer of its own: small files share one, at offsets that no array of numbers allows.
  const { buffer } = Uint8Array.from(await readFile(path));
  const { BYTES_PER_ELEMENT: size } = arrays[kind];
  // What a damaged file has too much is no number; that one is missing is told by whoever knows how many there were.
  const whole = buffer.slice(0, buffer.byteLength - (buffer.byteLength % size));
  return new arrays[kind](whole) as InstanceType<(typeof arrays)[K]>;
};

const noColumn = (name: string, kind: Kind): UserError =>
  new UserError(`the file announces no column ${name}.${kind}: it is damaged, or of another version`);

/** A column that its table has to have. */
export const columnOf = <K extends Kind>(
  { columns }: Table,
  name: string,
  kind: K,
): InstanceType<(typeof arrays)[K]> => {
  const column = columns[name];
  if (column instanceof arrays[kind]) return column as InstanceType<(typeof arrays)[K]>;
  throw noColumn(name, kind);
};

const parsed = <T>(path: string, parse: () => T): T => {
  try {
    return parse();
  } catch (cause) {
    throw new UserError(`${path} is no header of columns: it is damaged`, { cause });
  }
};

/** The header alone, of whatever schema. */
export const readHeader = async (path: string): Promise<Header> => {
  const text = await readText(path);
  return parsed(path, () => headerSchema.parse(JSON.parse(text)));
};

/** Reads what `writeTable` wrote; `path` maps a file name to where it lies. */
export const readTable = async (path: (file: string) => string, file: string, schema: string): Promise<Table> => {
  const { columns: list, ...header } = await readHeader(path(file));
  if (header.schema !== schema) throw new UserError(`${path(file)}: schema '${header.schema}', expected '${schema}'`);
  const listed = parsed(path(file), () => listSchema.parse(list));
  const columns: Record<string, Column> = {};
  for (const [name, [kind, length]] of Object.entries(listed)) {
    const column = await readColumn(path(`${name}.${kind}`), kind);
    if (column.length !== length) {
      throw new UserError(
        `${path(file)} announces ${length} numbers in ${name}.${kind}, which has ${column.length}: a file is damaged`,
      );
    }
    columns[name] = column;
  }
  return { header, columns };
};
