import { z } from 'zod';
import { isMissing, isUserError } from '../../ground/errors.ts';
import { parsedJson, readText } from '../../models/importers/json-file.ts';
import { requestError } from '../diagnostic.ts';
import type { Units } from './types/graphs.ts';

const numbers = z.array(z.int().min(0));
const byLayer = z.record(z.string().regex(/^\d+$/), numbers);

const schema = z.strictObject({
  heads: byLayer.exactOptional(),
  crossHeads: byLayer.exactOptional(),
  ffn: byLayer.exactOptional(),
  layers: numbers.exactOptional(),
});

const example = '{ "heads": { "0": [1] }, "crossHeads": {}, "ffn": { "1": [0, 5] }, "layers": [2] }';

const textIn = (file: string): unknown => {
  try {
    return parsedJson(file, readText(file));
  } catch (error) {
    if (isMissing(error)) throw requestError(`${file}: no such file; expected units as ${example}`);
    if (isUserError(error)) throw requestError(error.message);
    throw error;
  }
};

/** Units as they are given, or as a file names them. */
export const unitsFrom = (given: Units | string): Units => {
  const parsed = schema.safeParse(typeof given === 'string' ? textIn(given) : given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  const called = typeof given === 'string' ? given : 'remove';
  throw requestError(`${called}: ${issue?.message ?? 'wrong'}${where}; expected units as ${example}`);
};
