import { setImmediate } from 'node:timers/promises';
import { type EncodedText, type TextInput, tokenizerOf } from '../data/tokenize.ts';
import type { Model } from '../models/model.ts';
import { taskOf } from './tasks/index.ts';

/** Texts between two looks at the signal: a few hundredths of a second. */
const PIECE = 1000;

/** Texts and pairs as a model of its task reads them, cut to a length. Encoded ones stay as they are; long lists leave room for interruptions. */
export const encodeTexts = async (
  { tokenizer: json, info }: Model,
  texts: readonly (TextInput | EncodedText)[],
  maxLength: number,
  signal?: AbortSignal,
): Promise<readonly EncodedText[]> => {
  const tokenizer = tokenizerOf(json);
  const { encode } = taskOf(info.task);
  const encoded: EncodedText[] = [];
  for (const text of texts) {
    if (encoded.length % PIECE === PIECE - 1) {
      await setImmediate();
      signal?.throwIfAborted();
    }
    encoded.push(typeof text !== 'string' && 'ids' in text ? text : encode(tokenizer, text, maxLength));
  }
  return encoded;
};
