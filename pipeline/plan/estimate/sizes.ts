import type { EncoderSize } from '../../../engine/rehearsal/rehearsal.ts';
import type { Precision } from '../../../models/precision.ts';
import type { Expected } from '../../../stages/expected.ts';

/** The size of a model as far as it is known; undefined where too little is. */
export const sizeOf = (model: Expected | undefined, data: { readonly maxLength: number; readonly classes: number }) => {
  const { sizes = {}, labels, maxLength = data.maxLength } = model ?? {};
  const { hidden, embedding = hidden, layers, heads, ffn, vocabulary } = sizes;
  if (hidden === undefined || layers === undefined || heads === undefined || ffn === undefined) return undefined;
  if (vocabulary === undefined || embedding === undefined) return undefined;
  const headWidth = model?.headWidth ?? hidden / heads;
  if (!Number.isInteger(headWidth)) return undefined;
  const size: EncoderSize = {
    ...{ hidden, embedding, layers, heads, headWidth, ffn, vocabulary, maxLength },
    classes: labels?.length ?? data.classes,
  };
  return size;
};

/**
 * Parameters of an encoder: tables, and of each layer the matrices of attention and of the neurons, biases and norms. The first
 * layer reads embeddings, which it projects where they are of another width.
 */
export const parametersOf = (size: EncoderSize): number => {
  const { hidden, embedding, layers, heads, headWidth, ffn, vocabulary, maxLength, classes } = size;
  const wide = heads * headWidth;
  const layer = 4 * hidden * wide + 2 * hidden * ffn + 3 * wide + ffn + 6 * hidden;
  const projected = embedding === hidden ? 0 : embedding * hidden + 3 * (embedding - hidden) * wide;
  return (vocabulary + maxLength + 2) * embedding + layers * layer + projected + classes * (hidden + 1);
};

/** Bytes of a number, with its share of a scale and a zero point. */
const bytesOf: Readonly<Record<Precision, number>> = {
  ...{ fp32: 4, fp16: 2, q8: 1, uint8: 1, int8: 1, q4: 0.65, q4f16: 0.6, 'q8-blocks': 1.16, q2: 0.5 },
};
/** Graph, settings and the tokenizer, of which a token takes some thirty bytes. */
const [BESIDE, TOKEN] = [60_000, 30];

/** Bytes of a model's files. */
export const modelBytes = (size: EncoderSize, stored: Precision): number =>
  parametersOf(size) * bytesOf[stored] + BESIDE + TOKEN * size.vocabulary;
