import { tokenizerOf } from '../data/tokenize.ts';
import { encodedText } from './encoded.ts';
import type { Task } from './tasks/task.ts';

/** Texts and pairs as they are, with one answer about each. */
export const wholeTexts: Task['encode'] = async (
  { tokenizer, encoder = tokenizerOf(tokenizer) },
  texts,
  maxLength,
  signal,
) => {
  const encoded = await encoder.encodeBatch(texts, maxLength, signal);
  return encoded.map(encodedText);
};

/** The words of texts, with an answer about each. */
export const words: Task['encode'] = async (
  { tokenizer, encoder = tokenizerOf(tokenizer) },
  texts,
  maxLength,
  signal,
) => {
  const single = texts.map((text) => (typeof text === 'string' ? text : text.text));
  const encoded = await encoder.encodeWords(single, maxLength, signal);
  return encoded.map(encodedText);
};
