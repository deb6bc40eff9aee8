import { resolve } from 'node:path';
import type { Importer } from './importer.ts';

/** A path that looks like one: relative with a dot in front, or absolute. */
export const fileName = /^(\.{1,2}([\\/]|$)|[\\/]|[A-Za-z]:[\\/])/;

const texts = () => import('./folder/index.ts');
const images = () => import('./images/index.ts');

/** Whether a folder holds a model of images, by the kind that it names. */
const readsImages = async (folder: string): Promise<boolean> => {
  const { modelTypeIn } = await import('./folder/config.ts');
  const { findImageArchitecture } = await import('../image-architectures/index.ts');
  return findImageArchitecture(modelTypeIn(folder) ?? '') !== undefined;
};

/** A folder of one's own, as transformers and sentence-transformers save models. */
export const huggingFace: Importer = {
  example: './my-model',
  match: (specifier) => fileName.test(specifier),
  classifies: true,
  files: async (specifier, base) => {
    const folder = resolve(base, specifier);
    return (await readsImages(folder))
      ? (await images()).imageFolderFiles(folder)
      : (await texts()).folderFiles(folder);
  },
  facts: async (specifier, base, options) => {
    const folder = resolve(base, specifier);
    return (await readsImages(folder))
      ? (await images()).imageFolderFacts(folder, options)
      : (await texts()).folderFacts(folder, options.head);
  },
  import: async (specifier, base, options) => {
    const folder = resolve(base, specifier);
    return (await readsImages(folder))
      ? (await images()).importImageFolder(folder, options)
      : (await texts()).importFolder(folder, options);
  },
};
