import { resolve } from 'node:path';
import type { Importer } from './importer.ts';

/** A path that looks like one: relative with a dot in front, or absolute. */
export const fileName = /^(\.{1,2}([\\/]|$)|[\\/]|[A-Za-z]:[\\/])/;

const folders = () => import('./folder/index.ts');

/** A folder of one's own, as transformers and sentence-transformers save models. */
export const huggingFace: Importer = {
  example: './my-model',
  match: (specifier) => fileName.test(specifier),
  classifies: true,
  files: async (specifier, base) => (await folders()).folderFiles(resolve(base, specifier)),
  facts: async (specifier, base, { head }) => (await folders()).folderFacts(resolve(base, specifier), head),
  import: async (specifier, base, options) => (await folders()).importFolder(resolve(base, specifier), options),
};
