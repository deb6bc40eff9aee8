import { z } from 'zod';
import { requestError } from '../diagnostic.ts';
import { jsonIn } from './json-request.ts';
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

/** Units as they are given, or as a file names them. */
export const unitsFrom = (given: Units | string): Units => {
  const parsed = schema.safeParse(typeof given === 'string' ? jsonIn(given, `units as ${example}`) : given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  const called = typeof given === 'string' ? given : 'remove';
  throw requestError(`${called}: ${issue?.message ?? 'wrong'}${where}; expected units as ${example}`);
};
