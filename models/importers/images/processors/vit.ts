import type { ImageProcessorKind } from './kind.ts';

export const vitProcessor: ImageProcessorKind = {
  names: ['ViTImageProcessor', 'ViTFeatureExtractor'],
  defaults: { size: [224, 224], mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5] },
};
