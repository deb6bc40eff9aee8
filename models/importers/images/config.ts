import { findImageArchitecture } from '../../image-architectures/index.ts';
import type { ImagePlan } from '../../image-architectures/kind.ts';
import { type PlannedConfig, readPlanned } from '../folder/config.ts';

export type ImageConfig = PlannedConfig<ImagePlan>;

/** Reads config.json of a folder whose model is one of images. */
export const readImageConfig = (folder: string): ImageConfig =>
  readPlanned(folder, (modelType) => {
    const found = findImageArchitecture(modelType);
    if (found === undefined) throw new Error(`'${modelType}' is no architecture of images`);
    return found;
  });
