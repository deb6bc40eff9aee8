import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import { ImportError } from './importer.ts';

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

const parsed = (file: string, text: string): unknown => {
  if (nestingOf(text) > DEPTH_LIMIT) {
    throw new ImportError(`${file} nests brackets more than ${DEPTH_LIMIT} deep: it describes no model`);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ImportError(`${file} is no JSON: ${reason}`, { cause });
  }
};

/** Where a document differs from what was expected, in one line. */
export const issueText = (issues: readonly z.core.$ZodIssue[]): string =>
  issues
    .slice(0, 3)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');

/** A JSON file of a model's folder, bounded in size and depth, in the form that was expected. */
export const readJson = <T>(path: string, schema: z.ZodType<T>): T => {
  const file = basename(path);
  const { size } = statSync(path);
  if (size > SIZE_LIMIT) throw new ImportError(`${file} has ${size} bytes; decant reads at most ${SIZE_LIMIT}`);
  const found = schema.safeParse(parsed(file, readFileSync(path, 'utf8')));
  if (found.success) return found.data;
  throw new ImportError(`${file}: ${issueText(found.error.issues)}`);
};

export const readJsonObject = (path: string): JsonObject => readJson(path, z.record(z.string(), z.unknown()));
