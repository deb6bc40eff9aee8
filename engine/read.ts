import type { Pixels } from '../data/dataset.ts';
import { sizeText } from '../data/images/size.ts';
import { type TextEncoder, tokenizerOf } from '../data/tokenize.ts';
import { modelError } from '../ground/errors.ts';
import { type PixelRule, pixelsIn, tokenizerIn } from '../models/model.ts';
import { encodedImage, encodedText } from './encoded.ts';
import type { Reader, Task } from './tasks/task.ts';

const fitting = (pixels: Pixels, rule: PixelRule, name: string): Pixels => {
  const { channels, height, width } = pixels;
  if (channels === rule.channels && height === rule.height && width === rule.width) return pixels;
  throw modelError(`${name} has ${sizeText(pixels)}; the model reads ${sizeText(rule)}`);
};

const encoderOf = (reader: Reader): TextEncoder => reader.encoder ?? tokenizerOf(tokenizerIn(reader));

/** Texts and pairs as they are, with one answer about each. */
export const wholeTexts: Task['encode'] = async (model, texts, maxLength, signal) => {
  const encoded = await encoderOf(model).encodeBatch(texts, maxLength, signal);
  return encoded.map(encodedText);
};

/** The words of texts, with an answer about each. */
export const words: Task['encode'] = async (model, texts, maxLength, signal) => {
  const single = texts.map((text) => (typeof text === 'string' ? text : text.text));
  const encoded = await encoderOf(model).encodeWords(single, maxLength, signal);
  return encoded.map(encodedText);
};

/** Images of the size that the model reads, with one answer about each. */
export const images: Task['encode'] = async ({ info }, given) => {
  const rule = pixelsIn(info.processor);
  return given.map((one) => {
    const { text, pixels } = typeof one === 'string' ? { text: one } : one;
    if (pixels === undefined) throw modelError(`the model reads images, and '${text}' is a text`);
    return encodedImage(fitting(pixels, rule, text));
  });
};
