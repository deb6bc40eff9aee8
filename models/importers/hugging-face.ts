import { resolve } from 'node:path';
import { folderFacts, folderFiles, importFolder } from './folder/index.ts';
import type { Importer } from './importer.ts';

/** A path that looks like one: relative with a dot in front, or absolute. */
const path = /^(\.{1,2}([\\/]|$)|[\\/]|[A-Za-z]:[\\/])/;

/** A folder of one's own, as transformers and sentence-transformers save models. */
export const huggingFace: Importer = {
  example: './my-model',
  match: (specifier) => path.test(specifier),
  classifies: true,
  files: (specifier, base) => folderFiles(resolve(base, specifier)),
  facts: async (specifier, base, head) => folderFacts(resolve(base, specifier), head),
  import: (specifier, base, options) => importFolder(resolve(base, specifier), options),
};
