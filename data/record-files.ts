import type { z } from 'zod';
import type { UserError } from '../ground/errors.ts';
import { readText } from '../ground/whole-file.ts';
import { dataError } from './errors.ts';

/** A file that a step left is not what a step leaves: somebody changed it, or made it up. */
export const damagedRecord = (file: string, reason: string): UserError =>
  dataError('damaged-record', `${file} is damaged: ${reason}; run the pipeline again`);

/** JSON of a record. */
export const parsedRecord = (file: string, text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damagedRecord(file, error instanceof Error ? error.message : String(error));
  }
};

/** What a record of another version calls itself; undefined where it says nothing. */
const versionOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined;

/** A record in JSON in the form that a step writes; `other` words what to do about one of another version. */
export const readRecord = async <T>(
  file: string,
  { schema, version, other }: { readonly schema: z.ZodType<T>; readonly version: string; readonly other: string },
): Promise<T> => {
  const value = parsedRecord(file, await readText(file));
  const found = versionOf(value);
  if (typeof found === 'string' && found !== version) {
    throw dataError('other-record', `${file} is of the schema '${found}'; expected '${version}': ${other}`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw damagedRecord(file, `${issue?.path.join('.') || 'the document'}: ${issue?.message}`);
};
