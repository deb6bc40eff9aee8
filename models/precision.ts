import { formats } from '../graph/quantize/formats/index.ts';

/** What a file stores and computes in, in the words of transformers.js. */
export type Precision = 'fp32' | 'q8' | 'uint8' | 'int8' | 'fp16' | 'q4' | 'q4f16' | 'q8-blocks' | 'q2';

/** Of the files that decant writes, the float one first. */
export const precisions: readonly Precision[] = ['fp32', ...formats.map(({ dtype }) => dtype)];

/** What a client calls a file, and how its name ends. */
export const endings: Readonly<Record<Precision, string>> = {
  ...{ fp32: '', q8: '_quantized', uint8: '_uint8', int8: '_int8', fp16: '_fp16', q4: '_q4', q4f16: '_q4f16' },
  ...{ 'q8-blocks': '_q8_blocks', q2: '_q2' },
};

/** The graph's file in a folder laid out as Hugging Face lays out its repositories. */
export const onnxFile = (precision: Precision): string => `onnx/model${endings[precision]}.onnx`;

/** The two graphs of an encoder-decoder. */
export const sideFiles = (precision: Precision): Readonly<Record<'encoder' | 'decoder', string>> => ({
  encoder: `onnx/encoder_model${endings[precision]}.onnx`,
  decoder: `onnx/decoder_model_merged${endings[precision]}.onnx`,
});

/** What loads a file in transformers.js: its word for it, or the name of the file where it has none. */
export const clientOptions = (
  precision: Precision,
): { readonly dtype: Exclude<Precision, 'q8-blocks'>; readonly model_file_name?: string } =>
  precision === 'q8-blocks' ? { dtype: 'fp32', model_file_name: `model${endings[precision]}` } : { dtype: precision };

/** Where nobody says: what runs fast on every CPU, then the float file, then what was made for another device. */
const preference: readonly Precision[] = ['q8', 'uint8', 'int8', 'fp32', 'q8-blocks', 'q4', 'q4f16', 'q2', 'fp16'];

export const preferred = (files: readonly Precision[]): Precision =>
  preference.find((precision) => files.includes(precision)) ?? 'fp32';
