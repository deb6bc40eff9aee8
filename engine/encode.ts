import { type EncodedText, type TextInput, tokenizerOf } from '../data/tokenize.ts';
import type { Model } from '../models/model.ts';
import { taskOf } from './tasks/index.ts';

const isEncoded = (text: TextInput | EncodedText): text is EncodedText => typeof text !== 'string' && 'ids' in text;

/** Texts and pairs as a model of its task reads them, cut to a length. Encoded ones stay as they are. */
export const encodeTexts = async (
  { tokenizer, info }: Model,
  texts: readonly (TextInput | EncodedText)[],
  maxLength: number,
  signal?: AbortSignal,
): Promise<readonly EncodedText[]> => {
  const raw = texts.filter((text): text is TextInput => !isEncoded(text));
  if (raw.length === 0) return texts.filter(isEncoded);
  const encoded = (await taskOf(info.task).encode(tokenizerOf(tokenizer), raw, maxLength, signal)).values();
  return texts.map((text) => {
    const one = isEncoded(text) ? text : encoded.next().value;
    if (one === undefined) throw new Error('a text was not encoded');
    return one;
  });
};
