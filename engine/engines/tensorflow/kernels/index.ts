import type { Kernels } from '../kernel.ts';
import { attentions } from './attention.ts';
import { choices } from './choices.ts';
import { convolution } from './convolution.ts';
import { curves } from './curves.ts';
import { elements } from './elements.ts';
import { normalization } from './normalization.ts';
import { picking } from './picking.ts';
import { pooling } from './pooling.ts';
import { products } from './products.ts';
import { quantization } from './quantization.ts';
import { reductions } from './reductions.ts';
import { structure } from './structure.ts';

/** Every operator that the library can be asked for, in its words or in several of them. */
export const kernels: Kernels = {
  ...elements,
  ...choices,
  ...products,
  ...reductions,
  ...normalization,
  ...structure,
  ...picking,
  ...quantization,
  ...attentions,
  ...convolution,
  ...pooling,
  ...curves,
};
