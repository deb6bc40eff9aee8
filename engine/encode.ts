import { setImmediate } from 'node:timers/promises';
import { tokenizerOf } from '../data/tokenize.ts';
import type { Model } from '../models/model.ts';

/** Texts between two looks at the signal: a few hundredths of a second. */
const PIECE = 1000;

/** Token ids of texts, cut to a length. Ids stay as they are; long lists leave room for interruptions. */
export const encodeTexts = async (
  { tokenizer: json }: Model,
  texts: readonly (string | Int32Array)[],
  maxLength: number,
  signal?: AbortSignal,
): Promise<readonly Int32Array[]> => {
  const tokenizer = tokenizerOf(json);
  const encoded: Int32Array[] = [];
  for (const text of texts) {
    if (encoded.length % PIECE === PIECE - 1) {
      await setImmediate();
      signal?.throwIfAborted();
    }
    encoded.push(typeof text === 'string' ? tokenizer.encode(text, maxLength) : text);
  }
  return encoded;
};
