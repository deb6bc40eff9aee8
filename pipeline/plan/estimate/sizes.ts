import type { Pixels } from '../../../data/dataset.ts';
import type { DecoderSize, EncoderSize, ImageSize, ModelSize } from '../../../engine/rehearsal/rehearsal.ts';
import { type DatasetTask, modelTask, readsTexts } from '../../../ground/tasks.ts';
import type { Precision } from '../../../models/precision.ts';
import type { Expected } from '../../../stages/expected.ts';

/** What the data says of the models that read it. */
export interface DataSizes {
  readonly task: DatasetTask;
  readonly maxLength: number;
  readonly classes: number;
  /** The first image, where there are any. */
  readonly pixels?: Pick<Pixels, 'channels' | 'height' | 'width'> | undefined;
}

type Body = Pick<ModelSize, 'hidden' | 'layers' | 'heads' | 'headWidth' | 'ffn'>;

const bodyOf = ({ sizes = {}, headWidth: told }: Expected): Body | undefined => {
  const { hidden, layers, heads, ffn } = sizes;
  if (hidden === undefined || layers === undefined || heads === undefined || ffn === undefined) return undefined;
  const headWidth = told ?? hidden / heads;
  return Number.isInteger(headWidth) ? { hidden, layers, heads, headWidth, ffn } : undefined;
};

const imageSize = (body: Body, { sizes = {}, labels }: Expected, data: DataSizes): ImageSize | undefined => {
  const { patch } = sizes;
  if (patch === undefined || data.pixels === undefined) return undefined;
  const { channels, height, width } = data.pixels;
  return { kind: 'images', ...body, patch, channels, height, width, classes: labels?.length ?? data.classes };
};

const decoderSize = (body: Body, vocabulary: number, { sizes = {}, tied = true }: Expected, maxLength: number) => {
  const { kvHeads = body.heads } = sizes;
  const size: DecoderSize = { kind: 'decoder', ...body, kvHeads, vocabulary, maxLength, tied };
  return size;
};

/** The size of a model as far as it is known; undefined where too little is. */
export const sizeOf = (model: Expected = {}, data: DataSizes): ModelSize | undefined => {
  const body = bodyOf(model);
  if (body === undefined) return undefined;
  if (!readsTexts(data.task)) return imageSize(body, model, data);
  const { sizes = {}, labels, maxLength = data.maxLength } = model;
  const { embedding = body.hidden, vocabulary } = sizes;
  if (vocabulary === undefined) return undefined;
  if (modelTask(data.task).reads === 'before') return decoderSize(body, vocabulary, model, maxLength);
  const classes = labels?.length ?? data.classes;
  return { kind: 'encoder', ...body, embedding, vocabulary, maxLength, classes };
};

/**
 * Parameters of an encoder's layers: of each the matrices of attention and of the neurons, biases and norms. The first layer reads
 * embeddings, which it projects where they are of another width.
 */
const layersOf = ({ hidden, layers, heads, headWidth, ffn }: Body, embedding: number): number => {
  const wide = heads * headWidth;
  const layer = 4 * hidden * wide + 2 * hidden * ffn + 3 * wide + ffn + 6 * hidden;
  return layers * layer + (embedding === hidden ? 0 : embedding * hidden + 3 * (embedding - hidden) * wide);
};

const headOf = ({ hidden, classes }: EncoderSize | ImageSize): number => classes * (hidden + 1);

/** Queries, keys, values and what puts them together, three matrices of gated neurons, two norms. No biases. */
const decoderLayers = ({ hidden, layers, heads, kvHeads, headWidth, ffn }: DecoderSize): number =>
  layers * (2 * hidden * (heads + kvHeads) * headWidth + 3 * hidden * ffn + 2 * hidden);

/** Projection of the patches, and a vector a place. */
const patchesOf = ({ hidden, patch, channels, height, width }: ImageSize): number =>
  (channels * patch * patch + 1 + (height * width) / (patch * patch) + 2) * hidden;

/** Parameters that every position meets in a product: all but tables that are looked up. */
export const bodyParameters = (size: ModelSize): number => {
  switch (size.kind) {
    case 'encoder':
      return layersOf(size, size.embedding) + headOf(size);
    case 'decoder':
      return decoderLayers(size) + size.vocabulary * size.hidden;
    case 'images':
      return layersOf(size, size.hidden) + headOf(size);
  }
};

/** Parameters of a model, tables included. */
export const parametersOf = (size: ModelSize): number => {
  switch (size.kind) {
    case 'encoder':
      return (size.vocabulary + size.maxLength + 2) * size.embedding + bodyParameters(size);
    case 'decoder':
      return bodyParameters(size) + (size.tied ? 1 : size.vocabulary + 1) * size.hidden;
    case 'images':
      return patchesOf(size) + bodyParameters(size);
  }
};

/** Positions of an example that is as long as it may be. */
export const mostPositions = (size: ModelSize, maxLength: number): number =>
  size.kind === 'images' ? (size.height * size.width) / (size.patch * size.patch) : maxLength;

/** Bytes of a number, with its share of a scale and a zero point. */
const bytesOf: Readonly<Record<Precision, number>> = {
  ...{ fp32: 4, fp16: 2, q8: 1, uint8: 1, int8: 1, q4: 0.65, q4f16: 0.6, 'q8-blocks': 1.16, q2: 0.5 },
};
/** Graph, settings and the tokenizer, of which a token takes some thirty bytes. */
const [BESIDE, TOKEN] = [60_000, 30];

/** Bytes of a model's files. */
export const modelBytes = (size: ModelSize, stored: Precision): number =>
  parametersOf(size) * bytesOf[stored] + BESIDE + (size.kind === 'images' ? 0 : TOKEN * size.vocabulary);
