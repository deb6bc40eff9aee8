import { fileName } from './hugging-face.ts';
import type { Importer } from './importer.ts';

const bare = () => import('./onnx/index.ts');

/** A graph that any exporter wrote, with its tokenizer beside it or named. */
export const onnxFile: Importer = {
  example: './model.onnx',
  match: (specifier) => fileName.test(specifier) && /\.onnx$/i.test(specifier),
  classifies: true,
  files: async (specifier, base, options) => (await bare()).onnxFiles(specifier, base, options),
  facts: async (specifier, base, options) => (await bare()).onnxFacts(specifier, base, options),
  import: async (specifier, base, options) => (await bare()).importOnnx(specifier, base, options),
};
