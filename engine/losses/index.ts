/** Every loss that a training step can be made of. */
export type { Beside } from './beside.ts';
export { binaryCrossEntropy } from './binary-cross-entropy.ts';
export { continuations } from './continuations.ts';
export { balancedClassWeights, crossEntropy } from './cross-entropy.ts';
export { type ImitationContext, imitate } from './imitate.ts';
export type { ImitationEntry } from './imitation.ts';
export type { ImitationName } from './imitations/index.ts';
export type { Loss, LossSettings } from './loss.ts';
export { squaredError } from './squared-error.ts';
