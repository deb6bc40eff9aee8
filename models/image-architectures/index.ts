import { deit } from './deit.ts';
import type { AnyImageArchitecture } from './kind.ts';
import { vit } from './vit.ts';

/** Every architecture that checkpoints of images may have. */
const architectures: readonly AnyImageArchitecture[] = [vit, deit];

/** The architecture of a model_type, or undefined. */
export const findImageArchitecture = (modelType: string): AnyImageArchitecture | undefined =>
  architectures.find(({ modelTypes }) => modelTypes.includes(modelType));

/** Every model_type of images that decant reads. */
export const knownImageTypes = (): readonly string[] => architectures.flatMap(({ modelTypes }) => modelTypes).sort();
