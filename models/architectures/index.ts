import type { AnyArchitecture } from './architecture.ts';
import { bert } from './bert.ts';

/** Every architecture that checkpoints may have. */
const architectures: readonly AnyArchitecture[] = [bert];

/** The architecture of a model_type, or undefined. */
export const findArchitecture = (modelType: string): AnyArchitecture | undefined =>
  architectures.find(({ modelTypes }) => modelTypes.includes(modelType));

/** Every model_type that decant reads. */
export const knownModelTypes = (): readonly string[] => architectures.flatMap(({ modelTypes }) => modelTypes).sort();
