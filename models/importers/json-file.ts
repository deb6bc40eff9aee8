import { basename } from 'node:path';
import { z } from 'zod';
import { isUserError } from '../../ground/errors.ts';
import { isRecord } from '../../ground/records.ts';
import { readTextNow } from '../../ground/whole-file.ts';
import { type NumberTexts, numberTextsOf } from '../number-texts.ts';
import { importError } from './importer.ts';

/** Zod's own table would look at every value. */
const jsonObject = z.custom<JsonObject>(isRecord, 'expected an object');

export type JsonObject = Readonly<Record<string, unknown>>;

/** Vocabularies of a million tokens fit; what is larger is no file that describes a model. */
const SIZE_LIMIT = 128 * 1024 * 1024;
/** Deeper nesting is an attack on whoever walks it. */
const DEPTH_LIMIT = 64;

/** Brackets that are open at once, strings left out. */
const nestingOf = (text: string): number => {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 92) i++;
      else if (code === 34) inString = false;
    } else if (code === 34) inString = true;
    else if (code === 123 || code === 91) deepest = Math.max(deepest, ++depth);
    else if (code === 125 || code === 93) depth--;
  }
  return deepest;
};

/** JSON of a stranger's file, bounded in depth. */
export const parsedJson = (file: string, text: string): unknown => {
  if (nestingOf(text) > DEPTH_LIMIT) {
    throw importError(`${file} nests brackets more than ${DEPTH_LIMIT} deep: it describes no model`);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw importError(`${file} is no JSON: ${reason}`, { cause });
  }
};

/** Whoever reads a message knows the value by its beginning. */
const LONGEST_VALUE = 40;

/** What stands there, where it is short and the schema was asked to report it. */
const foundText = ({ input }: z.core.$ZodIssue): string => {
  if (!['string', 'number', 'boolean'].includes(typeof input)) return '';
  const text = JSON.stringify(input);
  return `, found ${text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text}`;
};

/** Where a document differs from what was expected, in one line. */
export const issueText = (issues: readonly z.core.$ZodIssue[]): string =>
  issues
    .slice(0, 3)
    .map((issue) => ({ at: issue.path.join('.'), text: `${issue.message}${foundText(issue)}` }))
    .map(({ at, text }) => (at === '' ? text : `${at}: ${text}`))
    .join('; ');

/** A text file of a model's folder, bounded in size. */
export const readText = (path: string, limit = SIZE_LIMIT): string =>
  readTextNow(path, { most: limit, called: basename(path), refuse: importError });

/** A JSON file of a model's folder, bounded in size and depth, in the form that was expected. */
export const readJson = <T>(path: string, schema: z.ZodType<T>, limit = SIZE_LIMIT): T => {
  const file = basename(path);
  const found = schema.safeParse(parsedJson(file, readText(path, limit)), { reportInput: true });
  if (found.success) return found.data;
  throw importError(`${file}: ${issueText(found.error.issues)}`);
};

/** Settings of all libraries together are a few hundred. */
const MOST_KEYS = 2000;

/** A JSON file that is a table of settings, or of parts. */
export const readJsonObject = (path: string, limit = SIZE_LIMIT): JsonObject => {
  const json = readJson(path, jsonObject, limit);
  const count = Object.keys(json).length;
  if (count <= MOST_KEYS) return json;
  throw importError(`${basename(path)} holds ${count} keys; expected the settings of a model, which are a few hundred`);
};

/** How the numbers of a JSON file are written, where JavaScript writes them otherwise. The file has been read before. */
export const readNumberTexts = (path: string): NumberTexts => {
  try {
    return numberTextsOf(readText(path));
  } catch (cause) {
    // Keys that stand twice, of which JSON.parse takes the last.
    if (!isUserError(cause) && !(cause instanceof SyntaxError)) throw cause;
    throw importError(`${basename(path)}: ${cause.message}`, { cause });
  }
};
