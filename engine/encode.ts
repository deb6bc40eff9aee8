import { setImmediate } from 'node:timers/promises';
import { type EncodedText, type TextInput, tokenizerOf } from '../data/tokenize.ts';
import type { Model } from '../models/model.ts';

/** Texts between two looks at the signal: a few hundredths of a second. */
const PIECE = 1000;

/** Texts and pairs as a model reads them, cut to a length. Encoded ones stay as they are; long lists leave room for interruptions. */
export const encodeTexts = async (
  { tokenizer: json }: Model,
  texts: readonly (TextInput | EncodedText)[],
  maxLength: number,
  signal?: AbortSignal,
): Promise<readonly EncodedText[]> => {
  const tokenizer = tokenizerOf(json);
  const encoded: EncodedText[] = [];
  for (const text of texts) {
    if (encoded.length % PIECE === PIECE - 1) {
      await setImmediate();
      signal?.throwIfAborted();
    }
    encoded.push(typeof text !== 'string' && 'ids' in text ? text : tokenizer.encode(text, maxLength));
  }
  return encoded;
};
