import { type ModelInfo, pixelsIn } from '../../models/model.ts';
import { clientClassOf } from './families.ts';

/** Of PIL, as configurations number them. */
const BILINEAR = 2;

/**
 * preprocessor_config.json: what a client makes of an image is to the bit what decant feeds. Means stand one a channel, so that a
 * client refuses an image of other channels instead of reading it as something else; other sizes it scales.
 */
export const preprocessorConfigJson = (info: ModelInfo): Record<string, unknown> => {
  const { channels, height, width, scale, mean, deviation } = pixelsIn(info.processor);
  return {
    image_processor_type: `${clientClassOf(info).classes}ImageProcessor`,
    ...{ do_resize: true, size: { height, width }, resample: BILINEAR },
    ...{ do_rescale: true, rescale_factor: scale },
    ...{ do_normalize: true, image_mean: mean, image_std: deviation },
    // Clients make three channels of one where nothing is said.
    do_convert_rgb: channels === 3,
  };
};
