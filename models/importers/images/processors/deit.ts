import type { ImageProcessorKind } from './kind.ts';

/** Means and deviations are those of ImageNet. */
export const deitProcessor: ImageProcessorKind = {
  names: ['DeiTImageProcessor', 'DeiTFeatureExtractor'],
  defaults: { size: [256, 256], crop: [224, 224], mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
};
