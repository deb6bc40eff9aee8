/** Every loss that a training step can be made of. */
export type { Beside } from './beside.ts';
export { binaryCrossEntropy } from './binary-cross-entropy.ts';
export { classDistillation } from './class-distillation.ts';
export { continuations } from './continuations.ts';
export { cosineDistance } from './cosine.ts';
export { balancedClassWeights, crossEntropy } from './cross-entropy.ts';
export { distillation } from './distillation.ts';
export { hiddenStates, type LayerPair, layerPairs } from './hidden.ts';
export type { Loss, LossSettings } from './loss.ts';
export { squaredError, teacherSquaredError } from './squared-error.ts';
