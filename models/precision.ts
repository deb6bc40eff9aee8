import { formats } from '../graph/quantize/formats/index.ts';

/** What a file stores and computes in, in the words of transformers.js. */
export type Precision = 'fp32' | 'q8' | 'uint8' | 'int8' | 'fp16' | 'q4' | 'q4f16';

/** Of the files that decant writes, the float one first. */
export const precisions: readonly Precision[] = ['fp32', ...formats.map(({ dtype }) => dtype)];

/** What a client calls a file, and how its name ends. */
export const endings: Readonly<Record<Precision, string>> = {
  ...{ fp32: '', q8: '_quantized', uint8: '_uint8', int8: '_int8', fp16: '_fp16', q4: '_q4', q4f16: '_q4f16' },
};

/** The graph's file in a folder laid out as Hugging Face lays out its repositories. */
export const onnxFile = (precision: Precision): string => `onnx/model${endings[precision]}.onnx`;

/** Where nobody says: what runs fast on every CPU, then the float file, then what was made for another device. */
const preference: readonly Precision[] = ['q8', 'uint8', 'int8', 'fp32', 'q4', 'q4f16', 'fp16'];

export const preferred = (files: readonly Precision[]): Precision =>
  preference.find((precision) => files.includes(precision)) ?? 'fp32';
